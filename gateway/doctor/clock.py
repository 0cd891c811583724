"""The machine's clock, against the hub's and against this node's own record."""

from dataclasses import dataclass

from gateway.doctor.finding import Finding, moment, soon, spell, well, wrong
from gateway.wire.limits import MAX_CLOCK_DIFFERENCE_S

CHECK = "clock"
MAX_BEHIND_S = 30  # as node/membership.py has it
NOTICEABLE_S = 10  # of the sixty seconds
WORD_OLD_S = 5  # how old the hub's word can be when it is fetched
SPELT_FROM_S = 600  # a longer time is not said in seconds
SET_IT = "let the machine set its clock by NTP (`timedatectl` shows whether it does)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFacts:
    """Epoch seconds. `hub`: what the hub's clock said at `now`; `record`: the newest time in this node's own ledger.

    `whom`: which hub that was, where there are several.
    """

    now: float
    hub: float | None = None
    whom: str = ""
    record: float | None = None


def difference(seconds: float) -> str:
    """`90 s ahead of`, `90 s behind`, `8 days ahead of`."""
    by = f"{abs(seconds):.0f} s" if abs(seconds) < SPELT_FROM_S else spell(abs(seconds))
    return f"{by} {'ahead of' if seconds > 0 else 'behind'}"


def check_clock(facts: ClockFacts) -> list[Finding]:
    """How far, against whom, and whether it matters."""
    found = []
    if facts.record is not None and facts.now < facts.record - MAX_BEHIND_S:
        behind = spell(facts.record - facts.now)
        found.append(
            wrong(
                CHECK,
                f"this machine's clock is {behind} behind the newest entry of its own ledger ({moment(facts.record)}): "
                "nothing is answered",
                SET_IT + "; if the clock was ahead before, the node answers again once that time is reached",
            )
        )
    if facts.hub is None:
        return found or [well(CHECK, "not compared with the hub's, which gave no time")]
    off = facts.now - facts.hub
    by = difference(off) if abs(off) > WORD_OLD_S else f"within {WORD_OLD_S} s of"
    said = f"this machine's clock is {by} the hub's" + (f" at {facts.whom}" if facts.whom else "")
    if abs(off) > MAX_CLOCK_DIFFERENCE_S:
        found.append(wrong(CHECK, f"{said}: nothing is asked or answered beyond {MAX_CLOCK_DIFFERENCE_S} s", SET_IT))
    elif abs(off) > NOTICEABLE_S:
        found.append(soon(CHECK, f"{said}, {MAX_CLOCK_DIFFERENCE_S} s are allowed", SET_IT))
    return found or [well(CHECK, said)]
