"""Where the asker, the hub and its line saturate as a federation grows, computed from measured figures.

    python -m tests.bench.scaling            prints docs/scaling.md
    python -m tests.bench.scaling --write    writes it
    python -m tests.bench.scaling --bench bench.json    with the figures of this machine's `make bench`

Nothing here is measured: docs/benchmarks.md has the figures, and limits and sizes are the program's own.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from gateway.node.admission import SHARE_OF_DELAY
from gateway.wire.limits import (
    MAX_MEMBERS,
    MAX_RECIPIENTS,
    QUESTION_BASE_BYTES,
    QUESTION_BYTES_PER_RECIPIENT,
    SEALED_ANSWER_BYTES,
    SEALED_COPY_BYTES,
)

ROOT = Path(__file__).parents[2]
MEASURED, DOCUMENT = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "scaling.md"
MEMBERS = (200, 1_000, 5_000)
A_DAY = 100  # questions of one member in a working day
DAY_S = 8 * 3600
PEAK = 2.5  # the busiest minutes over the mean
HEADROOM = 0.5  # of what saturates: beyond it, waiting grows
LINE_MB_S = 110.0  # of a line of 1 Gbit/s, in each direction
BASE64 = 4 / 3
DELAY_MS = 150  # `answer_delay_ms` as it comes
_PATTERNS = {
    "seal_1000_ms": r"\| `seal_1000_ms` \| ([0-9]+)",
    "open_us": r"HPKE open ([0-9]+) µs",
    "verify_us": r"ES256 verify ([0-9]+)",
    "fanout_1000_ms": r"\| `fanout_1000_ms` \| ([0-9]+)",
    "answers_per_second_core": r"\| `answers_per_second_core` \| ([0-9]+)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One size of federation; rates are questions a second, each to every member.

    `admitted`: what a node takes by default. `out_mb`: what leaves the hub for one question; `short_mb`: the same if
    recipients were not written out.
    """

    members: int
    asker_ms: float
    asker_rate: float
    hub_rate: float
    out_mb: float
    short_mb: float
    back_mb: float
    line_rate: float
    node_rate: float
    admitted: float
    wanted: float

    def needed(self, rate: float) -> int:
        """How many of what saturates at `rate` the busiest minutes take."""
        return ceil(self.wanted / (rate * HEADROOM))


def figures(text: str, bench: Mapping[str, float]) -> dict[str, float]:
    """What docs/benchmarks.md says was reached, and in its place what `make bench` has just measured."""
    found = {}
    for name, pattern in _PATTERNS.items():
        matched = re.search(pattern, text)
        if matched is None:
            raise ValueError(f"{MEASURED.name} has no {name}")
        found[name] = float(bench.get(name, matched[1]))
    return found


def row(members: int, known: Mapping[str, float]) -> Row:
    """One line of the table."""
    each_us = known["seal_1000_ms"] + known["open_us"] + known["verify_us"]  # ms for a thousand are µs for one
    body = QUESTION_BASE_BYTES + QUESTION_BYTES_PER_RECIPIENT * members
    out = members * (body + SEALED_COPY_BYTES) * BASE64
    short = members * (QUESTION_BASE_BYTES + SEALED_COPY_BYTES) * BASE64
    return Row(
        members=members,
        asker_ms=members * each_us / 1000,
        asker_rate=1e6 / (members * each_us),
        hub_rate=1000 / known["fanout_1000_ms"] * 1000 / members,
        out_mb=out / 1e6,
        short_mb=short / 1e6,
        back_mb=members * SEALED_ANSWER_BYTES / 1e6,
        line_rate=LINE_MB_S * 1e6 / out,
        node_rate=known["answers_per_second_core"],
        admitted=int(SHARE_OF_DELAY * DELAY_MS / 1000 * known["answers_per_second_core"]) / DELAY_MS * 1000,
        wanted=members * A_DAY / DAY_S * PEAK,
    )


def document(known: Mapping[str, float]) -> str:
    """docs/scaling.md whole."""
    rows = [row(members, known) for members in MEMBERS]
    small, large, beyond = rows
    table = "\n".join(
        f"| {each.members:,} | {each.wanted:.1f} | {each.asker_ms:,.0f} ms, {_rate(each.asker_rate)}"
        f" | {_rate(each.hub_rate)} | {each.out_mb:,.1f} + {each.back_mb:.1f} MB, {_rate(each.line_rate)}"
        f" | {each.node_rate:.0f} |"
        for each in rows
    )
    needs = "\n".join(
        f"| {each.members:,} | {each.needed(each.hub_rate)} | {each.needed(each.line_rate)} |"
        f" {each.needed(each.node_rate)} |"
        for each in rows
    )
    return f"""# How large a federation can be

Computed, not measured: `python -m tests.bench.scaling --write` makes this page from the figures of
[what is measured](benchmarks.md), on that machine and for one core, and from the sizes and limits of the
[protocol](wire.md). With `--bench bench.json` it takes those of another machine.

Every question goes to every member: the worst case, and what keeps the hub from learning whom a question is about. Each
member asks {A_DAY} questions in {DAY_S // 3600} hours, the busiest minutes being {PEAK} times the mean.

| members | asked a second, all together | asker: processor time a question, most a second on a core \
| hub: most a second on a core | hub's line: out + back for a question, most a second on 1 Gbit/s \
| node: most a second on a core |
| --- | --- | --- | --- | --- | --- |
{table}

- **Asker**: sealing the content key to each member ({known["seal_1000_ms"]:.0f} µs), opening
  ({known["open_us"]:.0f}) and verifying ({known["verify_us"]:.0f}) each answer; reading and showing them comes
  on top, so this is the best case.
- **Hub**: from `fanout_1000_ms`, {known["fanout_1000_ms"]:.0f} ms for 1,000 answering stubs on one machine,
  without TLS.
- **Line**: a question's body has {QUESTION_BASE_BYTES:,} bytes and {QUESTION_BYTES_PER_RECIPIENT} for each
  recipient, and each recipient gets all of it, in base64, so traffic grows with the square of the members. An
  answer has {SEALED_ANSWER_BYTES:,} bytes.
- **Node**: every node answers every question of the federation, so compare it with the second column. By default it
  admits no more than {small.admitted:.0f} a second, so that none leaves late: answers for {SHARE_OF_DELAY:.0%} of the
  delay of {DELAY_MS} ms at once. `admission = "fixed"` admits `max_in_flight` at once.

What the busiest minutes need, with no more than {HEADROOM:.0%} of anything used:

| members | cores of hubs | lines of 1 Gbit/s | cores of each node |
| --- | --- | --- | --- |
{needs}

**{small.members:,} members.** {_hub_words(small)} An asker spends {small.asker_ms:.0f} ms on a question. Add a
second hub so that one may fail, not for its speed.

**{large.members:,} members.** {_hub_words(large)} The line is what saturates first: {large.out_mb:.0f} MB leave the
hub for one question. Ask fewer members where the agreement or the practitioner can say so: half the members are a
quarter of the traffic. An asking node that asks {_rate(large.asker_rate)} a second keeps a core busy and should have a
second one for its answers. More than {MAX_RECIPIENTS:,} recipients no question can have.

**{beyond.members:,} members.** Not with one federation as it is: a member list holds {MAX_MEMBERS:,}, a question
{MAX_RECIPIENTS:,} recipients, and without these limits one question would be {beyond.out_mb / 1000:.1f} GB. The
figures in its row say what it would cost, so that nobody raises the limits and hopes. Make federations of a region
each, with as many members as work with the same clients; a question that has to go further is asked in the other
region by a member of it.

**What would take the square out.** Recipients stand in the question as names, because whoever reads one, and whoever
checks evidence years later, should need nothing else to see whom it was for. The question binds the exact federation
document as well, so a bitmap over that document's members would say the same in {MAX_MEMBERS // 8} bytes for the
longest list, and the body would be {QUESTION_BASE_BYTES:,} bytes for any number: {large.short_mb:.1f} MB in place of
{large.out_mb:.0f} for {large.members:,} members, {beyond.short_mb:.0f} MB in place of {beyond.out_mb:,.0f} for
{beyond.members:,}. It takes a version 2 of the question, and pays from some 300 members on.
"""


def _hub_words(each: Row) -> str:
    cores, lines = each.needed(each.hub_rate), each.needed(each.line_rate)
    lines_word = "one line of 1 Gbit/s" if lines == 1 else f"{lines} lines of 1 Gbit/s"
    if cores == 1:
        return f"One core of a hub is enough, and {lines_word}."
    return f"It takes {cores} cores of hubs, and {lines_word}."


def _rate(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def main() -> None:
    """Print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    bench = {} if options.bench is None else json.loads(options.bench.read_bytes())
    text = document(figures(MEASURED.read_text("utf-8"), bench))
    if options.write:
        DOCUMENT.write_text(text, "utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
