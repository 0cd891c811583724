"""What the columns of somebody's own list mean: guessed from headers and values, shown, changed, made a mapping. Pure.

A list has one row for each client. `guess` looks at headers in many spellings and at the values of the first rows, and
says how sure it is; whoever uploads the list decides. `mapping_of` gives the mapping (TOML, mappings/spec.py) of rows
whose columns have been given the names of their meanings, with the fields of COMPUTED that the importer adds.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from mappings import convert
from mappings.convert import Unusable
from mappings.rules import fold
from mappings.vocabulary import NHS_NUMBER_SYSTEM

KIND: Final = "row"
# The record's key; the worker's key, and whether the row is to make them; service and how confidential the work is.
COMPUTED: Final = ("record", "worker_key", "worker_new", "service_key", "sensitivity")
DATES: Final = (
    *("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y"),
    *("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M", "%B %Y", "%b %Y", "%m/%Y", "%Y"),
)
LOOKED_AT: Final = 50  # rows whose values are looked at
_MOST, _HALF = 0.8, 0.5  # of the values that are there
_FEW: Final = 3  # values from which alone a column is recognised
MAX_HEADER_ROW: Final = 20


class Meaning(StrEnum):
    """What a column holds. Of each there is one column at most."""

    KEY = "key"
    FULL_NAME = "full_name"
    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    BIRTH_DATE = "birth_date"
    POSTCODE = "postcode"
    NHS_NUMBER = "nhs_number"
    WORKER = "worker"
    WORKER_PHONE = "worker_phone"
    WORKER_EMAIL = "worker_email"
    SERVICE = "service"
    ROLE = "role"
    START = "start"
    END = "end"


NAMES: Final = (Meaning.FULL_NAME, Meaning.GIVEN_NAME, Meaning.FAMILY_NAME)


class Confidence(StrEnum):
    """How sure a guess is: header and values agree; one of them says so; they contradict each other."""

    SURE = "sure"
    LIKELY = "likely"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column seems to mean; `meaning` None: nothing that is needed."""

    meaning: Meaning | None
    confidence: Confidence


_WORKER = (
    r"(?:support |key |case |link )?"
    r"(?:worker|volunteer|mentor|coordinator|adviser|advisor|befriender|staff(?: member)?)s?"
)
_HEADERS: Final[Mapping[Meaning, re.Pattern[str]]] = {
    meaning: re.compile(pattern)
    for meaning, pattern in {
        Meaning.KEY: r"(?:(?:client|member|case|service user|person|our) )?(?:id|ref|reference|number|no|code)"
        r"|(?:client|member|case|membership) (?:id|ref|reference|number|no|code)",
        Meaning.FULL_NAME: r"(?:(?:client|member|full|service user|person|clients?)(?: s)? )?names?|client|member|who",
        Meaning.GIVEN_NAME: r"(?:first|given|fore|christian) ?names?(?: s)?|fname|known as|preferred name|first",
        Meaning.FAMILY_NAME: r"(?:family|last|sur|second) ?names?(?: s)?|lname|surname|last",
        Meaning.BIRTH_DATE: r"d ?o ?b|date of birth|birth ?(?:date|day)|born(?: on)?|birth",
        Meaning.POSTCODE: r"(?:home |client |current )?(?:post ?code|p code|pcode|post cd|zip)",
        Meaning.NHS_NUMBER: r"nhs ?(?:no|num|number|id)?",
        Meaning.WORKER: rf"(?:allocated |assigned |named |our )?{_WORKER}(?: name)?|allocated to|seen by|assigned to",
        Meaning.WORKER_PHONE: rf"(?:{_WORKER})(?: s)? (?:phone|mobile|tel|telephone|number|mob|phone number)",
        Meaning.WORKER_EMAIL: rf"(?:{_WORKER})(?: s)? (?:e ?mail)(?: address)?",
        Meaning.SERVICE: r"(?:our )?(?:service|project|team|group|activity|programme)(?: name)?",
        Meaning.ROLE: rf"role|(?:{_WORKER}) role|what we do|type of support|support type",
        Meaning.START: r"start(?:ed)?(?: date| on)?|date (?:started|joined|of referral)|joined|since|from",
        Meaning.END: r"end(?:ed)?(?: date| on)?|date (?:ended|left|closed)|left|closed|until|to",
    }.items()
}


def _date(text: str) -> str:
    return convert.iso_date(text, DATES)


_VALUES: Final[Mapping[Meaning, Callable[[str], object]]] = {
    Meaning.NHS_NUMBER: convert.nhs_number,
    Meaning.BIRTH_DATE: _date,
    Meaning.POSTCODE: convert.postcode,
    Meaning.WORKER_PHONE: convert.phone,
    Meaning.WORKER_EMAIL: convert.email,
    Meaning.START: _date,
    Meaning.END: _date,
}
_UNMISTAKABLE: Final = (Meaning.GIVEN_NAME, Meaning.FAMILY_NAME)  # their headers mean nothing else
# What is plain without a header. An email address or a phone number is not: it may be the client's own.
_PLAIN: Final = (Meaning.NHS_NUMBER, Meaning.POSTCODE)


def header_at(rows: Sequence[Sequence[str]]) -> int:
    """Which of the first rows is the header: the first that fills at least half as many cells as any of them."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows[:MAX_HEADER_ROW]]
    widest = max(filled, default=0)
    return next((at for at, count in enumerate(filled) if 2 * count >= widest and count > 0), 0)


def guess(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Guess]:
    """One guess for each column; where two seem to mean the same, the surer, or else the first, has it."""
    columns = [
        [cell for row in rows[:LOOKED_AT] if at < len(row) and (cell := row[at].strip())] for at in range(len(header))
    ]
    found = sorted(
        (-weight, at, meaning, confidence)
        for at, name in enumerate(header)
        for meaning, confidence, weight in _candidates(_plain(name), columns[at])
    )
    guesses: dict[int, Guess] = {}
    taken: set[Meaning] = set()
    for _, at, meaning, confidence in found:
        if at not in guesses and meaning not in taken:
            guesses[at] = Guess(meaning, confidence)
            taken.add(meaning)
    nothing = Guess(None, Confidence.SURE)
    return [guesses.get(at, nothing) for at in range(len(header))]


def _candidates(name: str, values: Sequence[str]) -> list[tuple[Meaning, Confidence, int]]:
    candidates: list[tuple[Meaning, Confidence, int]] = []
    for meaning, pattern in _HEADERS.items():
        named = pattern.fullmatch(name) is not None
        share = _share(values, _VALUES[meaning]) if meaning in _VALUES else None
        if named and (share is None or not values or share >= _MOST):
            sure = meaning in _UNMISTAKABLE or (values and share is not None)
            candidates.append((meaning, Confidence.SURE if sure else Confidence.LIKELY, 3))
        elif named and share is not None and share >= _HALF:
            candidates.append((meaning, Confidence.LIKELY, 2))
        elif named:
            candidates.append((meaning, Confidence.DOUBTFUL, 0))
        elif meaning in _PLAIN and share is not None and share >= _MOST and len(values) >= _FEW:
            candidates.append((meaning, Confidence.LIKELY, 1))
    return candidates


def _share(values: Sequence[str], read: Callable[[str], object]) -> float:
    good = 0
    for value in values:
        try:
            read(value)
        except Unusable:
            continue
        good += 1
    return good / len(values) if values else 0.0


def _plain(header: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9]+", " ", header.casefold()).split())


def problem_with(meanings: Collection[Meaning], *, service: bool) -> str:
    """Why rows with these columns cannot be stored, as a code; empty if they can. `service`: one is set for all."""
    if Meaning.FULL_NAME not in meanings and not {Meaning.GIVEN_NAME, Meaning.FAMILY_NAME} & set(meanings):
        return "name"
    if Meaning.FULL_NAME in meanings and {Meaning.GIVEN_NAME, Meaning.FAMILY_NAME} & set(meanings):
        return "two-names"
    if not service and not {Meaning.WORKER, Meaning.SERVICE} & set(meanings):
        return "worker"
    return ""


def record_key(fields: Mapping[Any, str]) -> str:
    """By which a row is known again: the list's own key if it has one, else a hash of name and birth date.

    Raises Unusable if there is nothing to know it by. Who changes their name, or whose birth date is corrected, is
    somebody new in a list without a key.
    """
    if key := convert.clean(fields.get(Meaning.KEY, "")):
        return f"k-{fold(key)}"
    names = [
        fold(convert.clean(fields.get(part, "")))
        for part in (Meaning.FULL_NAME, Meaning.GIVEN_NAME, Meaning.FAMILY_NAME)
    ]
    if not any(names):
        raise Unusable("there is no name")
    born = convert.clean(fields.get(Meaning.BIRTH_DATE, ""))
    return "h-" + digest("|".join((*names, _date(born) if born else "")))


def digest(text: str) -> str:
    """A key that does not show what it was made of to somebody who looks through a database; it is no secret."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def mapping_of(meanings: Collection[Meaning]) -> str:
    """The mapping, as TOML, of rows with these columns and COMPUTED; nothing of a list stands in it."""
    dates = ", ".join(f'"{pattern}"' for pattern in DATES)
    person = [*_names(meanings)]
    if Meaning.BIRTH_DATE in meanings:
        person.append(f'birth_date = {{ field = "birth_date", date = [{dates}] }}')
    if Meaning.POSTCODE in meanings:
        person.append('addresses = [{ postcode = "postcode" }]')
    if Meaning.NHS_NUMBER in meanings:
        person.append(f'identifiers = [{{ system = "{NHS_NUMBER_SYSTEM}", value = "nhs_number" }}]')
    involvement = [
        'person_key = ["record"]',
        'practitioner_key = ["worker_key"]',
        'service_key = ["service_key"]',
        'sensitivity = { field = "sensitivity", value_set = "sensitivity" }',
    ]
    involvement += [
        f'{each} = {{ field = "{each}", date = [{dates}] }}'
        for each in (Meaning.START, Meaning.END)
        if each in meanings
    ]
    worker = ['name = { whole = "worker", order = "family-comma-given" }']
    if Meaning.ROLE in meanings:
        involvement.append('role = "role"')
        worker.append('role = "role"')
    points = [
        f'{{ system = "{system}", value = "{each}" }}'
        for each, system in ((Meaning.WORKER_PHONE, "phone"), (Meaning.WORKER_EMAIL, "email"))
        if each in meanings
    ]
    worker += [f"contact_points = [{', '.join(points)}]"] if points else []
    parts = [
        'system = "list"\ntitle = "A list of clients"\n[source]\nconnector = "spreadsheet"',
        _map("person", 'key = ["record"]', *person),
        _map("involvement", 'key = ["record"]', *involvement),
    ]
    if Meaning.WORKER in meanings:
        parts.append(_map("practitioner", 'needs = ["worker_new"]', 'key = ["worker_key"]', *worker))
    return "\n\n".join(parts) + "\n"


def _names(meanings: Collection[Meaning]) -> list[str]:
    if Meaning.FULL_NAME in meanings:
        return ['names = [{ whole = "full_name", order = "family-comma-given", use = "usual" }]']
    family = 'family = "family_name", ' if Meaning.FAMILY_NAME in meanings else ""
    given = 'given = ["given_name"], ' if Meaning.GIVEN_NAME in meanings else ""
    return [f'names = [{{ {family}{given}use = "usual" }}]']


def _map(kind: str, *lines: str) -> str:
    return "\n".join(("[[map]]", f'from = "{KIND}"', f'type = "{kind}"', *lines))
