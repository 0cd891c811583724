"""How well matching finds this agency's own clients, by what was typed about them: counts, and nobody's details.

Questions and the people whom they mean come from a file that the agency writes. Each is searched for exactly as a
question of another agency would be; nothing is decided, disclosed or put on record.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import date
from operator import add

from gateway.database.contract import Database, Statement, Work
from gateway.errors import InputError
from gateway.matching.index import find
from gateway.matching.normalise import is_outward
from gateway.matching.score import Thresholds
from gateway.node.question import read_subject
from gateway.wire.query import NameParts, Subject

COLUMNS = ("person", "given", "family", "birth_date", "age", "postcode", "nhs_number")
MAX_LINES = 100_000


@dataclass(frozen=True, slots=True)
class Typed:
    """One line: what somebody typed, and whom they meant, as (source, key); None if nobody must be found."""

    line: int
    subject: Subject = field(repr=False)
    meant: tuple[str, str] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line cannot be used; repeats nothing of it."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the questions `asked`, `clients` mean somebody of this agency.

    `right_first`: that person is the likeliest. `right`, `wrong`: one person is found beyond doubt, so that they may be
    disclosed, and is the one who is meant, or not.
    """

    asked: int = 0
    clients: int = 0
    right_first: int = 0
    right: int = 0
    wrong: int = 0

    @property
    def missed(self) -> int:
        """Clients who are meant and would not be disclosed: nothing would be, or somebody else."""
        return self.clients - self.right

    def __add__(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(*map(add, astuple(self), astuple(other)))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Counts of all and by what was typed beside the name, and the lines to look at."""

    everything: Counts
    by_typed: Mapping[str, Counts]
    wrong_lines: Sequence[int]
    missed_lines: Sequence[int]


def read_typed(text: Iterable[str], *, today: date) -> tuple[list[Typed], list[Fault]]:
    """Read a CSV file whose heading names some of COLUMNS, `person` among them; raises InputError if it is none."""
    reader = csv.DictReader(text, strict=True, restval="")
    typed: list[Typed] = []
    faults: list[Fault] = []
    try:
        heading = reader.fieldnames or ()
        if "person" not in heading or not set(heading).issubset(COLUMNS) or len(set(heading)) < len(heading):
            raise InputError(f"line 1 names columns: person, and any of {', '.join(COLUMNS[1:])}, each once")
        for number, row in enumerate(reader):
            if number == MAX_LINES:
                raise InputError(f"there are more than {MAX_LINES:,} lines")
            try:
                typed.append(_read(reader.line_num, row, today))
            except InputError as error:
                faults.append(Fault(reader.line_num, str(error)))
    except csv.Error:
        line = reader.reader.line_num  # the other one's stays behind
        raise InputError(f"line {line}: is not CSV: double quotation marks inside values, and close them") from None
    return typed, faults


def _read(line: int, row: Mapping[str | None, str], today: date) -> Typed:
    """One line; raises InputError that names the column."""
    if None in row:
        raise InputError("there are more values than columns")
    cells = {column: row.get(column, "").strip() for column in COLUMNS}
    given, family, born, age = (cells[column] for column in ("given", "family", "birth_date", "age"))
    subject = read_subject(
        f"{given} {family}",
        born=born or age,
        postcode=cells["postcode"],
        nhs=cells["nhs_number"],
        today=today,
    )
    if born and subject.birth_date is None:
        raise InputError("birth_date holds an age, which has a column of its own")
    if age and not born and subject.age is None:
        raise InputError("age is not in whole years")
    source, colon, key = cells["person"].partition(":")
    if cells["person"] and not (source and colon and key):
        raise InputError("person is SOURCE:KEY, as in tenancies:T2, or empty where nobody must be found")
    if subject.names:
        subject = replace(subject, names=(NameParts(given=(given,) if given else (), family=family),))
    return Typed(line, subject, (source, key) if key else None)


def unknown_people(typed: Iterable[Typed]) -> Work[list[Fault]]:
    """Lines that mean somebody whom no source has."""
    faults = []
    for each in typed:
        if each.meant is not None and (yield from _person_meant(*each.meant)) is None:
            faults.append(Fault(each.line, "person: no source has a client of this number"))  # noqa: PERF401 - it yields
    return faults


def _person_meant(source: str, key: str) -> Work[int | None]:
    """By the id that matching uses: of several records of one person, one."""
    rows = yield Statement(
        "SELECT p.same_person FROM person p JOIN import_source s ON s.id = p.source_id"
        " WHERE s.name = ? AND p.key = ? AND p.hash IS NOT NULL",
        (source, key),
    )
    return rows[0][0] if rows else None


async def evaluate(typed: Iterable[Typed], database: Database, *, today: date, thresholds: Thresholds) -> Evaluation:
    """Search for each; ages are counted on `today`."""
    everything, by_typed = Counts(), defaultdict[str, Counts](Counts)
    wrong, missed = list[int](), list[int]()
    for each in typed:
        found = await database.read(_search(each, today, thresholds))
        everything += found
        by_typed[_beside_the_name(each.subject)] += found
        wrong += [each.line] * found.wrong
        missed += [each.line] * found.missed
    return Evaluation(everything, by_typed, wrong, missed)


def _search(typed: Typed, today: date, thresholds: Thresholds) -> Work[Counts]:
    meant = None if typed.meant is None else (yield from _person_meant(*typed.meant))
    match = yield from find(typed.subject, today=today, thresholds=thresholds)
    right_first = match.best is not None and match.best.person_id == meant
    return Counts(
        asked=1,
        clients=meant is not None,
        right_first=right_first,
        right=match.disclosable and right_first,
        wrong=match.disclosable and not right_first,
    )


def _beside_the_name(subject: Subject) -> str:
    details = []
    if subject.birth_date is not None:
        details.append("birth date" if len(subject.birth_date) == len("YYYY-MM-DD") else "part of a birth date")
    elif subject.age is not None:
        details.append("age")
    if subject.postcode is not None:
        details.append("district" if is_outward(subject.postcode) else "postcode")
    if subject.identifiers:
        details.append("NHS number")
    return ", ".join(details) or "nothing"
