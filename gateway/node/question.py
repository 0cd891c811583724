"""What a practitioner asks, checked before anything is signed: page, API and command line all make a Question."""

import re
from dataclasses import dataclass, field
from datetime import date

from gateway.errors import InputError
from gateway.matching.normalise import nhs_number
from gateway.wire.limits import MAX_AGE_YEARS
from gateway.wire.query import AskingPractitioner, NameParts, Subject
from mappings.vocabulary import NHS_NUMBER_SYSTEM, AuthMethod, BreakGlassReason, LawfulBasis, Mode, Purpose

MAX_NAME_CHARS = 200
_BIRTH = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_WRITTEN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")  # as people in the United Kingdom write it, day first
_POSTCODE = re.compile(r"[A-Za-z]{1,2}[0-9][A-Za-z0-9]?(?: ?[0-9][A-Za-z]{2})?")
_MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """Why the glass is broken: a code for those who are asked, and words for this agency's own ledger alone."""

    reason: BreakGlassReason
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who is asked about, by whom and why; `deadline_ms` is how long the asker will wait.

    `break_glass` comes with the purpose BREAK_GLASS, and only with it; raises InputError otherwise.
    """

    subject: Subject
    practitioner: AskingPractitioner
    auth_method: AuthMethod
    auth_time: int
    purpose: Purpose
    lawful_basis: LawfulBasis
    mode: Mode = Mode.SCHEDULE
    only_certain: bool = False
    break_glass: BreakGlass | None = None
    deadline_ms: int = field(default=4000)

    def __post_init__(self) -> None:
        """Nobody breaks the glass without saying why."""
        if (self.purpose is Purpose.BREAK_GLASS) != (self.break_glass is not None):
            raise InputError("break-glass is asked with its reason, and a reason with nothing else")
        if self.break_glass is not None and not self.break_glass.words.strip():
            raise InputError("break-glass wants its reason in words too: for this agency's own record")


def read_subject(
    name: str,
    *,
    born: str | None = None,
    postcode: str | None = None,
    nhs: str | None = None,
    today: date | None = None,
) -> Subject:
    """Typed text into a Subject. `born` is YYYY, YYYY-MM, YYYY-MM-DD, or an age such as `8`; raises InputError.

    With `today`, a birth date that nobody alive can have is refused too: a search would silently do without it.
    The error's `field` is the parameter to mend.
    """
    if len(name) > MAX_NAME_CHARS:
        raise InputError(f"the name is longer than {MAX_NAME_CHARS} characters", "name")
    text = " ".join(name.split())
    if not text.isprintable():
        raise InputError("the name holds characters that cannot be printed", "name")
    if not text and not nhs:
        raise InputError("a name or an NHS number is needed", "name")
    birth_date, age = _born(born, today)
    return Subject(
        names=(NameParts(text=text),) if text else (),
        birth_date=birth_date,
        age=age,
        postcode=_postcode(postcode),
        identifiers=_identifiers(nhs),
    )


def _born(born: str | None, today: date | None) -> tuple[str | None, int | None]:
    if not born:
        return None, None
    if born.isascii() and born.isdecimal() and len(born) <= 3:  # noqa: PLR2004 - ages have up to three digits
        if int(born) > MAX_AGE_YEARS:
            raise InputError(f"an age is at most {MAX_AGE_YEARS}", "born")
        return None, int(born)
    if written := _WRITTEN.fullmatch(born) if born.isascii() else None:
        born = f"{written[3]}-{written[2]:0>2}-{written[1]:0>2}"
    match = _BIRTH.fullmatch(born) if born.isascii() else None
    if not match:
        raise InputError("a birth date is DD/MM/YYYY, YYYY-MM-DD, YYYY-MM or YYYY, or an age in years", "born")
    year, month, day = match.groups()
    if month and not 1 <= int(month) <= _MONTHS:
        raise InputError("the birth date has no such month", "born")
    if today is not None and int(year) < today.year - MAX_AGE_YEARS:
        raise InputError(f"the birth date is more than {MAX_AGE_YEARS} years ago", "born")
    try:
        earliest = date.fromisoformat(f"{year}-{month or '01'}-{day or '01'}")
    except ValueError:
        raise InputError("the birth date has no such day", "born") from None
    if today is not None and earliest > today:
        raise InputError("the birth date is in the future", "born")
    return born, None


def _postcode(postcode: str | None) -> str | None:
    if not postcode:
        return None
    text = " ".join(postcode.split())
    if not text.isascii() or not _POSTCODE.fullmatch(text):
        raise InputError("a postcode is like EX4 4QJ, or its first part, EX4", "postcode")
    return text.upper()


def _identifiers(nhs: str | None) -> tuple[tuple[str, str], ...]:
    if not nhs:
        return ()
    digits = nhs_number(nhs)
    if digits is None:
        raise InputError("this is not an NHS number: ten digits, the last of which checks the others", "nhs")
    return ((NHS_NUMBER_SYSTEM, digits),)
