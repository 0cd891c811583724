"""Generate a made-up UK-like register of people and noisy queries about them.

    python -m tests.matching_kit.people --people 100000 --queries 8000 --seed 8101 --out DIR

writes DIR/register.csv and DIR/queries.jsonl; the same arguments always give the same bytes. Half of the queries are
about registered people ("member"); a quarter, or as many as exist, about an unregistered relative in a registered
household ("relative"); the rest about people whose whole household is unregistered ("stranger"). Names follow the
frequency tables in names/; the households are assumptions of this generator, not measurements.
"""

import argparse
import csv
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

from tests.matching_kit.namebook import NameBook
from tests.matching_kit.noise import POSTCODE_LETTERS, Person, Query, QueryWriter

REGISTER, QUERIES = "register.csv", "queries.jsonl"
REGISTER_FIELDS = ("id", "given", "middle", "family", "birth_date", "sex", "postcode")


class Population:
    """Draws households that live in one made-up region."""

    def __init__(self, rng: random.Random, names: NameBook, people: int) -> None:
        """`people`: how many will be drawn, which says how many postcodes there are."""
        self._rng, self._names = rng, names
        districts = rng.sample(names.districts, max(12, min(150, people // 6000)))
        self.postcodes = [
            f"{rng.choice(districts)} {rng.randint(1, 9)}{rng.choice(POSTCODE_LETTERS)}{rng.choice(POSTCODE_LETTERS)}"
            for _ in range(max(300, people // 18))
        ]

    def household(self) -> list[Person]:
        """A single person (30%), a family with children (55%) or a couple (15%) at one postcode."""
        rng = self._rng
        transliterated = rng.random() < 0.07
        postcode = rng.choice(self.postcodes)
        family = self._names.surname(transliterated=transliterated)
        if not transliterated and rng.random() < 0.04:
            family += "-" + self._names.surname(transliterated=False)
        shape = rng.random()
        if shape < 0.3:
            return [self._person(family, postcode, rng.randint(1930, 2004), transliterated=transliterated)]
        father_year = rng.randint(1945, 1998)
        members = [self._person(family, postcode, father_year, "male", transliterated=transliterated)]
        mother_family = family if rng.random() < 0.6 else self._names.surname(transliterated=transliterated)
        if rng.random() < 0.85:
            mother_year = father_year + rng.randint(-4, 6)
            members.append(self._person(mother_family, postcode, mother_year, "female", transliterated=transliterated))
        if shape < 0.85:
            self._add_children(members)
        return members

    def _person(
        self,
        family: str,
        postcode: str,
        birth_year: int,
        sex: str | None = None,
        birth_date: date | None = None,
        *,
        transliterated: bool,
    ) -> Person:
        """One person; 0.6% of birth dates are recorded as 1 January."""
        rng = self._rng
        sex = sex or rng.choice(("male", "female"))
        if birth_date is None:
            birth_date = date(birth_year, 1, 1)
            if rng.random() >= 0.006:
                birth_date += timedelta(rng.randrange(365))
        middle = self._forename(sex, birth_year, transliterated=transliterated) if rng.random() < 0.6 else ""
        given = self._forename(sex, birth_year, transliterated=transliterated)
        return Person(given, middle, family, birth_date, sex, postcode, transliterated)

    def _forename(self, sex: str, birth_year: int, *, transliterated: bool) -> str:
        return self._names.forename(sex, birth_year, transliterated=transliterated)

    def _add_children(self, members: list[Person]) -> None:
        """1 to 5 children, now and then a son named after his father (3%) or twins (2%)."""
        rng, father = self._rng, members[0]
        taken_years: set[int] = set()
        has_junior = False
        for _ in range(1 + min(4, int(rng.expovariate(1 / 1.1)))):
            year = min(2023, father.birth_date.year + rng.randint(19, 38))
            if year < 1960 or year in taken_years:
                continue
            taken_years |= {year - 1, year, year + 1}
            child = self._child(father, year)
            if any(child.given == other.given for other in members) and rng.random() < 0.95:
                child.given = self._forename(child.sex, year, transliterated=father.transliterated)
            if child.sex == "male" and not has_junior and rng.random() < 0.03:
                child.given, has_junior = father.given, True
            members.append(child)
            if rng.random() < 0.02:
                members.append(self._twin(father, child, year))

    def _child(self, father: Person, year: int, birth_date: date | None = None) -> Person:
        return self._person(
            father.family, father.postcode, year, birth_date=birth_date, transliterated=father.transliterated
        )

    def _twin(self, father: Person, child: Person, year: int) -> Person:
        twin = self._child(father, year, child.birth_date)
        while twin.given == child.given:  # otherwise nobody could tell the two apart
            twin.given = self._forename(twin.sex, year, transliterated=father.transliterated)
        return twin


def generate(people: int, queries: int, seed: int) -> tuple[list[Person], list[Query]]:
    """The register and the shuffled queries."""
    rng = random.Random(seed)
    names = NameBook(rng)
    population = Population(rng, names, people)
    # (1) Households; some leave out one relative, some are not registered at all.
    register: list[Person] = []
    relatives: list[Person] = []
    strangers: list[Person] = []
    while len(register) < people:
        household = population.household()
        if len(household) > 1 and rng.random() < 0.03:
            relatives.append(household.pop(rng.randrange(len(household))))
        elif rng.random() < 0.03:
            strangers += household
            continue
        register += household
    del register[people:]
    for number, person in enumerate(register, start=1):
        person.id = f"P{number:07d}"
    # (2) Whom the queries are about.
    rng.shuffle(relatives)
    asked = [("member", person) for person in rng.sample(register, queries // 2)]
    asked += [("relative", person) for person in relatives[: queries // 4]]
    while len(strangers) < queries - len(asked):
        strangers += population.household()
    asked += [("stranger", person) for person in rng.sample(strangers, queries - len(asked))]
    rng.shuffle(asked)
    # (3) What is typed about them.
    writer = QueryWriter(rng, names, population.postcodes)
    return register, [writer.query(person, kind) for kind, person in asked]


def write(folder: Path, register: Iterable[Mapping[str, object]], queries: Iterable[Query]) -> None:
    """Both files into the folder, made if need be; of each row the fields that a register has."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / REGISTER).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, REGISTER_FIELDS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(register)
    with (folder / QUERIES).open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(query) + "\n" for query in queries)


def main() -> None:
    """Read the command line and write both files."""
    parser = argparse.ArgumentParser(description="Generate a made-up register and noisy queries.")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=8_000)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.people < 1 or not 0 <= options.queries <= 2 * options.people:
        parser.error("--people must be positive and --queries at most twice --people")
    register, queries = generate(options.people, options.queries, options.seed)
    write(options.out, map(asdict, register), queries)


if __name__ == "__main__":
    main()
