"""Where everything stands on a picture of a team: people in the middle, agencies around them, lines between. Pure.

All in units of the picture, which are CSS pixels where it is as wide as its page. Wide (a desk, paper): people in the
middle column, agencies in two columns beside it, lines in the gaps between. Narrow (a phone): people on top, agencies
below, lines down the left edge. So no line crosses a box, and no box another.

Text is measured by a table, for a server has no fonts; it is wrapped to two lines, and what is longer is shortened. The
list below each picture has all of it.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.web.contact_links import Way

MAX_PEOPLE: Final = 8
MAX_AGENCIES: Final = 20
MAX_ROWS: Final = 60  # practitioners on one picture, before each agency shows only its first
LEAST_ROWS: Final = 3  # of one agency

WIDE, NARROW = 960, 358
_NAME, _SMALL = 16.0, 14.0  # sizes of text
_LINE, _SMALL_LINE = 20.0, 18.0  # from one line of it to the next
_PAD: Final = 12.0  # inside a box
_GAP: Final = 16.0  # between two boxes
_ROW_GAP: Final = 8.0  # between two practitioners of one agency
_EDGE: Final = 4.0  # around all
_MARK: Final = 6.0  # of a person's box, in the colour of their lines
_PERSON_WIDE: Final = 210.0
_AGENCY_WIDE: Final = 280.0
_RAIL: Final = 7.0  # between two people's lines on a narrow picture
_PART: Final = 3.0  # between lines that begin at one worker
_BOLD: Final = 1.08

# Advance of a character, in parts of its size: on the safe side of the usual sans-serif fonts.
_THIN, _MIDDLE, _CAPITAL, _BROAD, _FULL = 0.36, 0.60, 0.74, 0.90, 1.05
_ALPHABETS_END: Final = 0x590  # Latin, Greek, Cyrillic, Armenian; behind them letters of other widths
_MORE_LATIN = frozenset(map(chr, range(0x1E00, 0x2000)))
_THIN_LETTERS = frozenset("iljtfrI.,;:'|!()[] -\u2019")
_BROAD_LETTERS = frozenset("mwMWQOGCD@%&\u2026")


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Somebody at an agency, and the places (in the list of people) of those with whom they work.

    `away` says so and who covers; `way` is how to reach whoever is there, which the list alone has.
    """

    name: str
    role: str = ""
    away: str = ""
    way: Way | None = None
    works_with: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """An agency; `note` stands below its people, or where there are none. `unsure`: perhaps it means somebody else."""

    name: str
    workers: tuple[Worker, ...] = ()
    note: str = ""
    own: bool = False
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text from its left end on its baseline; `kind` is name, head, or small."""

    x: float
    y: float
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Box:
    """A person or an agency. `kind` is person, agency, own, unsure or empty; `place` a person's in the list."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    lines: tuple[Text, ...]
    place: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """From somebody at an agency to a person, as points; `curved` through two points of control between its ends."""

    points: tuple[tuple[float, float], ...]
    person: int
    curved: bool

    @property
    def path(self) -> str:
        """As the attribute `d` of an SVG path."""
        (x, y), *rest = self.points
        words = [f"{each_x:.1f} {each_y:.1f}" for each_x, each_y in rest]
        return f"M{x:.1f} {y:.1f}" + (f"C{', '.join(words)}" if self.curved else "".join(f"L{each}" for each in words))


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn: lines first, then boxes with their text. `left_out` counts practitioners who have no row."""

    width: float
    height: float
    lines: tuple[Line, ...]
    boxes: tuple[Box, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class _Draft:
    """A box before it has a place: its text relative to its corner, and where workers' lines begin in it."""

    width: float
    height: float
    kind: str
    lines: tuple[Text, ...]
    ports: tuple[tuple[float, tuple[int, ...]], ...] = ()

    def at(self, x: float, y: float, place: int = 0) -> Box:
        moved = tuple(Text(x + each.x, y + each.y, each.text, each.kind) for each in self.lines)
        return Box(x, y, self.width, self.height, self.kind, moved, place)


def lay_out(people: Sequence[str], agencies: Sequence[Group], *, more: str, wide: bool) -> Picture:
    """Places for at most MAX_PEOPLE people and MAX_AGENCIES agencies, at least one person.

    `more` says in words that an agency has more practitioners: "and %(number)s more".
    """
    people, agencies = people[:MAX_PEOPLE], agencies[:MAX_AGENCIES]
    agencies = [
        replace(each, workers=tuple(_within(worker, len(people)) for worker in each.workers)) for each in agencies
    ]
    rows = _rows_each(agencies)
    left_out = sum(max(0, len(agency.workers) - rows) for agency in agencies)
    rails = 2 * _EDGE + _RAIL * len(people) + _RAIL
    person_width = _PERSON_WIDE if wide else NARROW - rails - _EDGE
    agency_width = _AGENCY_WIDE if wide else NARROW - rails - _EDGE
    persons = [_person(name, person_width) for name in people]
    drafts = [_agency(each, agency_width, rows, more) for each in agencies]
    lines, boxes, height = _wide(persons, drafts) if wide else _narrow(persons, drafts, rails)
    return Picture(WIDE if wide else NARROW, height, tuple(lines), tuple(boxes), left_out)


def _within(worker: Worker, people: int) -> Worker:
    return replace(worker, works_with=tuple(place for place in worker.works_with if place < people))


def _rows_each(agencies: Sequence[Group]) -> int:
    """How many practitioners each agency shows: all, if there are few; else as many as make a calm picture."""
    most = max((len(agency.workers) for agency in agencies), default=0)
    if sum(len(agency.workers) for agency in agencies) <= MAX_ROWS:
        return most
    return max(LEAST_ROWS, MAX_ROWS // max(1, len(agencies)))


def _wide(persons: list[_Draft], drafts: list[_Draft]) -> tuple[list[Line], list[Box], float]:
    left, right = _two_columns(drafts)
    height = 2 * _EDGE + max(_tall(persons), _tall(left), _tall(right))
    middle_x = (WIDE - _PERSON_WIDE) / 2
    placed = _column(persons, middle_x, height, people=True)
    boxes, lines = list(placed), []
    for column, x, side in ((left, _EDGE, 1), (right, WIDE - _EDGE - _AGENCY_WIDE, -1)):
        for draft, box in zip(column, _column(column, x, height), strict=True):
            boxes.append(box)
            start = box.x + box.width if side > 0 else box.x
            end = middle_x if side > 0 else middle_x + _PERSON_WIDE
            half = (start + end) / 2
            for port, works_with in draft.ports:
                for place, aside in _apart(works_with):
                    y, to = box.y + port + aside, placed[place].y + placed[place].height / 2
                    lines.append(Line(((start, y), (half, y), (half, to), (end, to)), place, curved=True))
    return lines, boxes, height


def _narrow(persons: list[_Draft], drafts: list[_Draft], rails: float) -> tuple[list[Line], list[Box], float]:
    boxes: list[Box] = []
    lines: list[Line] = []
    y = _EDGE
    for place, draft in enumerate(persons):
        boxes.append(draft.at(rails, y, place))
        y += draft.height + _GAP
    people = tuple(boxes)
    lowest: dict[int, float] = {}
    for draft in drafts:
        boxes.append(draft.at(rails, y))
        for port, works_with in draft.ports:
            for place, aside in _apart(works_with):
                rail, at = _EDGE + _RAIL * (place + 1), y + port + aside
                lines.append(Line(((rail, at), (rails, at)), place, curved=False))
                lowest[place] = at
        y += draft.height + _GAP
    for place, end in lowest.items():
        rail, top = _EDGE + _RAIL * (place + 1), people[place].y + people[place].height / 2
        lines.append(Line(((rails, top), (rail, top), (rail, end)), place, curved=False))
    return lines, boxes, y - _GAP + _EDGE


def _apart(works_with: tuple[int, ...]) -> list[tuple[int, float]]:
    """Each person with how far above or below the middle their line begins: several lines of one worker part there."""
    middle = (len(works_with) - 1) / 2
    return [(place, (number - middle) * _PART) for number, place in enumerate(works_with)]


def _two_columns(drafts: list[_Draft]) -> tuple[list[_Draft], list[_Draft]]:
    """In their order down the left and then down the right, so that both are about as tall."""
    best = min(range(1, len(drafts) + 1), key=lambda end: max(_tall(drafts[:end]), _tall(drafts[end:])), default=0)
    return drafts[:best], drafts[best:]


def _tall(column: Sequence[_Draft]) -> float:
    return sum(each.height for each in column) + _GAP * max(0, len(column) - 1)


def _column(column: Sequence[_Draft], x: float, height: float, *, people: bool = False) -> list[Box]:
    """One below the other, in the middle of the height."""
    y = (height - _tall(column)) / 2
    placed = []
    for place, draft in enumerate(column):
        placed.append(draft.at(x, y, place if people else 0))
        y += draft.height + _GAP
    return placed


def _person(name: str, width: float) -> _Draft:
    lines, y = [], _PAD
    for each in wrapped(name, width - 2 * _PAD - _MARK, _NAME * _BOLD, most=3):
        lines.append(Text(_PAD + _MARK, y + _NAME, each, "head"))
        y += _LINE
    return _Draft(width, y + _PAD, "person", tuple(lines))


def _agency(agency: Group, width: float, rows: int, more: str) -> _Draft:
    lines: list[Text] = []
    ports: list[tuple[float, tuple[int, ...]]] = []
    inner, y = width - 2 * _PAD, _PAD

    def write(text: str, kind: str, *, most: int) -> None:
        nonlocal y
        small = kind == "small"
        size = _SMALL if small else _NAME
        for each in wrapped(text, inner, size * (_BOLD if kind == "head" else 1.0), most=most):
            lines.append(Text(_PAD, y + size, each, kind))
            y += _SMALL_LINE if small else _LINE

    write(agency.name, "head", most=2)
    for worker in agency.workers[:rows]:
        y += _ROW_GAP
        ports.append((y + _LINE / 2, worker.works_with))
        write(worker.name, "name", most=2)
        if worker.role:
            write(worker.role, "small", most=2)
        if worker.away:
            write(worker.away, "small", most=2)
    if len(agency.workers) > rows:
        hidden = agency.workers[rows:]
        y += _ROW_GAP
        ports.append((y + _SMALL_LINE / 2, tuple(sorted({place for each in hidden for place in each.works_with}))))
        write(more % {"number": len(hidden)}, "small", most=1)
    if agency.note:
        y += _ROW_GAP / 2
        write(agency.note, "small", most=2)
    kind = "own" if agency.own else "empty" if not agency.workers else "unsure" if agency.unsure else "agency"
    return _Draft(width, y + _PAD, kind, tuple(lines), tuple(ports))


def wrapped(text: str, width: float, size: float, *, most: int) -> tuple[str, ...]:
    """A text on at most `most` lines of this width, broken between words where it can be; shortened if it is longer."""
    lines: list[str] = []
    rest = text.split()
    while rest and len(lines) < most - 1:
        line = _cut(rest[0], width, size)
        if len(line) < len(rest[0]):  # one word is wider than the line
            rest[0] = rest[0][len(line) :]
        else:
            rest.pop(0)
            while rest and measure(f"{line} {rest[0]}", size) <= width:
                line = f"{line} {rest.pop(0)}"
        lines.append(line)
    if rest:
        last = " ".join(rest)
        if measure(last, size) > width:
            last = _cut(last, width - measure("\u2026", size), size).rstrip(" ,-") + "\u2026"
        lines.append(last)
    return tuple(lines)


def measure(text: str, size: float) -> float:
    """About how wide a text is, in the units of its size; rather too wide than too narrow."""
    return size * sum(map(_advance, text))


def _cut(word: str, width: float, size: float) -> str:
    """As much of it as fits, one character at least; no mark is parted from its letter."""
    used, end = 0.0, 0
    for place, character in enumerate(word):
        used += _advance(character) * size
        if used > width and place:
            break
        end = place + 1
    while 0 < end < len(word) and unicodedata.category(word[end]) in {"Mn", "Mc", "Me"}:
        end -= 1
    return word[: max(1, end)]


def _advance(character: str) -> float:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return _FULL
    if character in _THIN_LETTERS:
        return _THIN
    if character in _BROAD_LETTERS or not (ord(character) < _ALPHABETS_END or character in _MORE_LATIN):
        return _BROAD
    return _CAPITAL if character.isupper() else _MIDDLE
