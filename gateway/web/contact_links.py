"""Numbers and addresses of other agencies as links that can only call, text or write. Pure.

What does not have a plain form stays text: a number with `*` or `#` could switch a telephone's call forwarding, an
address with `?` or `%` could fill in a letter. What a link dials is what it says, without brackets and spaces.
"""

import re
from dataclasses import dataclass
from typing import Final

from mappings.model import ContactPoint

# "+44 (0)1632 960123", "01632 960123 ext. 4", "07700 900123 (duty desk)"
_NUMBER = re.compile(
    r"(?P<number>\+?[0-9(][0-9 ()./-]{1,40}[0-9])"
    r"(?: *,? *(?:extension|ext|x)\.? *(?P<extension>[0-9]{1,6}))?"
    r"(?: *\([^()*#]{1,60}\))?",
    re.ASCII | re.IGNORECASE,
)
# The plainest addresses alone become a link; any other stays text.
_ADDRESS = re.compile(
    r"[a-z0-9_+'-]{1,64}(?:\.[a-z0-9_+'-]{1,64}){0,8}"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,63}",
    re.ASCII | re.IGNORECASE,
)
_FEWEST, _MOST = 3, 15  # digits of a number: 101 is the police's, E.164 ends at 15
_SCHEMES: Final = {"phone": "tel", "sms": "sms"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to reach somebody: `kind` is phone, sms or email, `href` is "" where `text` makes no safe link."""

    kind: str
    text: str
    href: str


def way(system: str, value: str) -> Way:
    """A contact point's system and value as a link."""
    return Way(kind=system, text=value, href=_mail(value) if system == "email" else _dial(system, value))


def ways(points: tuple[ContactPoint, ...]) -> tuple[Way, ...]:
    """All of them, in their order: preferred first."""
    return tuple(way(point.system, point.value) for point in points)


def _mail(value: str) -> str:
    return f"mailto:{value}" if _ADDRESS.fullmatch(value) else ""


def _dial(system: str, value: str) -> str:
    match = _NUMBER.fullmatch(value)
    if match is None or system not in _SCHEMES:
        return ""
    number = match["number"]
    if number.startswith("+"):
        number = number.replace("(0)", "")  # as people write both ways of dialling at once
    digits = re.sub(r"[^0-9]", "", number)
    if not _FEWEST <= len(digits) <= _MOST:
        return ""
    extension = f";ext={match['extension']}" if match["extension"] and system == "phone" else ""
    return f"{_SCHEMES[system]}:{'+' if number.startswith('+') else ''}{digits}{extension}"
