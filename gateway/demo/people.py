"""The people of Northshire as they are: invented households, drawn from a fixed seed.

What each agency wrote down of them, with its own mistakes, is gateway/demo/registers.py.
"""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

from gateway.demo.names import BOYS, FAMILIES, GIRLS, STREETS, TOWNS

SEED = 20260
HOUSEHOLDS = 3400  # enough for five registers of 2,000 that overlap as real ones do
GROWN_UP = date(2008, 1, 1)  # born before: an adult of the demonstration
_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"  # those that the second half of a postcode uses
_NHS_WEIGHTS = range(10, 1, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """One invented person; `household` numbers the home that they share with others."""

    number: int
    household: int
    given: tuple[str, ...]
    family: str
    birth_date: date
    nhs_number: str
    street: str
    town: str
    postcode: str

    @property
    def adult(self) -> bool:
        return self.birth_date < GROWN_UP


def nhs_number(serial: int) -> str | None:
    """The test number 999 and six digits of `serial`, with its check digit; None where none exists."""
    digits = f"999{serial:06d}"
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, _NHS_WEIGHTS, strict=True)) % 11
    return None if check == 10 else digits + str(check % 11)


def residents() -> tuple[Resident, ...]:
    """Everybody, household by household; the same people on every machine."""
    return tuple(_Town(random.Random(SEED)).draw())


class _Town:
    """Draws households one after the other from one random source."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.people: list[Resident] = []
        self.serials = iter(rng.sample(range(10_000, 990_000), HOUSEHOLDS * 8))

    def draw(self) -> list[Resident]:
        for household in range(HOUSEHOLDS):
            self._household(household)
        return self.people

    def _household(self, household: int) -> None:
        rng = self.rng
        home = Resident(
            number=0,
            household=household,
            given=(),
            family=rng.choice(FAMILIES),
            birth_date=date(1990, 1, 1),
            nhs_number="",
            street=f"{rng.randint(1, 120)} {rng.choice(STREETS)}",
            town=rng.choice(TOWNS),
            postcode=f"ZM{rng.randint(1, 9)} {rng.randint(1, 9)}{rng.choice(_LETTERS)}{rng.choice(_LETTERS)}",
        )
        kind = rng.random()
        if kind < 0.2:  # somebody older, alone
            self._live(home, self._born(1930, 1960))
            return
        parent = self._live(home, self._born(1962, 1999))
        if rng.random() < 0.6:
            other = replace(home, family=rng.choice(FAMILIES)) if rng.random() < 0.3 else home
            self._live(other, self._born(1962, 1999))
        if kind > 0.35:  # with children
            self._children(home, parent)

    def _children(self, home: Resident, parent: Resident) -> None:
        rng = self.rng
        first = max(parent.birth_date.year + 19, GROWN_UP.year)
        for _ in range(rng.choice((1, 1, 2, 2, 2, 3, 4))):
            born = self._born(first, 2024)
            child = self._live(home, born)
            if rng.random() < 0.02:  # a twin: same day, same home
                self._live(home, child.birth_date)
        if parent.given[0] in BOYS and rng.random() < 0.06:  # a son with his father's name
            self._live(home, self._born(first, 2024), given=parent.given)

    def _live(self, home: Resident, born: date, *, given: tuple[str, ...] | None = None) -> Resident:
        number = next(filter(None, map(nhs_number, self.serials)))
        names = self.rng.choice((GIRLS, BOYS))
        drawn = tuple(self.rng.sample(names, 2 if self.rng.random() < 0.4 else 1))
        person = replace(home, number=len(self.people), given=given or drawn, birth_date=born, nhs_number=number)
        self.people.append(person)
        return person

    def _born(self, first: int, last: int) -> date:
        return date(self.rng.randint(first, max(first, last)), 1, 1) + timedelta(self.rng.randrange(365))
