"""A hub's clock: there is nobody above it to ask, so it is held against what its members' requests say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from gateway.days import HOUR_S
from gateway.doctor.clock import CHECK, SET_IT, difference
from gateway.doctor.finding import Finding, soon, well, wrong
from gateway.wire.limits import SKEW_S

LATELY_S = HOUR_S  # members' nodes sign something for the hub each hour at least: a checkpoint
NOTICEABLE_S = 10
MOST_NAMED = 5
_NO_MAJORITY = 2  # clocks of which the median is nobody's


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberClock:
    """By how many seconds a member's clock was ahead of this machine's, and when that was seen (epoch seconds)."""

    ahead: float
    seen_at: float


def check_member_clocks(members: Mapping[str, MemberClock], now: float) -> list[Finding]:
    """How far this machine's clock is from most members', or theirs from it; what was seen long ago says nothing."""
    lately = {name: each.ahead for name, each in members.items() if 0 <= now - each.seen_at <= LATELY_S}
    if not lately:
        return [well(CHECK, "not compared: no member has signed anything for this hub within the last hour")]
    middle = median(lately.values())
    off = -middle  # what most agree on is right
    if len(lately) <= _NO_MAJORITY and max(abs(ahead) for ahead in lately.values()) > SKEW_S:
        return [_between(lately)]
    found: list[Finding] = []
    against = _named(lately)
    said = f"this machine's clock is {difference(off)} what members' requests say ({against})"
    if abs(off) > SKEW_S:
        found.append(wrong(CHECK, f"{said}: beyond {SKEW_S} s they are refused, so nobody can ask", SET_IT))
    elif abs(off) > NOTICEABLE_S:
        found.append(soon(CHECK, f"{said}; {SKEW_S} s are allowed", SET_IT))
    for name, ahead in lately.items():
        if abs(ahead - middle) > SKEW_S:
            what = f"{name}'s clock is {difference(ahead - middle)} other members': its requests are refused"
            found.append(soon(CHECK, what, f"tell {name}: its machine is to set its clock by NTP"))
    return found or [well(CHECK, said)]


def _between(lately: Mapping[str, float]) -> Finding:
    """Two clocks, or three, of which any may be the wrong one."""
    each = "; ".join(f"{difference(-ahead)} {name}'s" for name, ahead in lately.items())
    what = (
        f"this machine's clock is {each}: what is beyond {SKEW_S} s is refused, and too few speak to say who is wrong"
    )
    return wrong(CHECK, what, SET_IT + ", and see that theirs does")


def _named(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = len(listed) - MOST_NAMED
    return ", ".join(listed[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
