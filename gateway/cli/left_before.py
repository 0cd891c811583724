"""What a withdrawal cannot bring back: answers that had left before it, and consents that others hold."""

from collections.abc import Iterable, Sequence

from consent_ledger.kinds import ANSWERS
from consent_ledger.read import Entry
from consent_ledger.report import shows
from gateway.cli.times import utc
from mappings.vocabulary import Mode

_MOST_LISTED = 20  # newest first; the report has them all


def answers_that_left(entries: Iterable[Entry], others: Sequence[str]) -> Iterable[str]:
    """Lines about what `entries` (all of one person) let out, and `others`, the members who are not this agency."""
    left = [entry for entry in entries if entry.body is not None and _showed(entry)]
    if left:
        yield f"{_counted(len(left))} had left before it, and cannot be called back:"
        yield from map(_line, reversed(left[-_MOST_LISTED:]))
        if len(left) > _MOST_LISTED:
            yield f"and {len(left) - _MOST_LISTED} before these: patchwork ledger report has them all"
    else:
        yield "No answer about this client had left before it."
    if others:
        yield (
            "Other agencies go by what they have on record themselves, and nothing is sent to them. If the client wants"
            f" it, tell each that holds a consent of theirs: {', '.join(others)}"
        )


def _showed(entry: Entry) -> bool:
    body = entry.body or {}
    return body["kind"] in ANSWERS and body["outcome"] == "teams" and any(map(shows, body.get("decisions") or ()))


def _line(entry: Entry) -> str:
    body = entry.body or {}
    most = max(Mode.from_code(decision["mode"]) for decision in body["decisions"] if shows(decision))
    return f"- entry {entry.seq}, {utc(body['at'])}: {body['asker']['member']} was shown up to {most.code}"


def _counted(number: int) -> str:
    return "1 answer" if number == 1 else f"{number} answers"
