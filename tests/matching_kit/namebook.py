"""The name tables in names/, and draws from them. Same seed, same draws: nothing here depends on a set's order."""

import csv
import itertools
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

NAMES = Path(__file__).resolve().parent / "names"

# Names romanised from other scripts, most frequent first: people spell them in many ways.
TRANSLITERATED_FORENAMES = {
    "male": "mohammed muhammad mohammad ahmed ali hassan hussain omar umar yusuf ibrahim abdul abdullah hamza bilal "
    "imran kashif tariq khalid mustafa zain syed faisal asif nadeem shahid usman".split(),
    "female": "fatima ayesha aisha maryam zainab khadija nadia shazia saima sana amina hafsa safia noor yasmin farah "
    "rukhsana nasreen shabana sadia zara".split(),
}
TRANSLITERATED_SURNAMES = (
    "khan hussain ahmed ali begum mohammed shah akhtar malik iqbal rahman miah uddin islam chowdhury hassan mahmood "
    "bibi mirza qureshi sheikh abdi mohamud yusuf osman hassan choudhury rehman"
).split()
# Spellings of one name; "/" separates the names.
SPELLING_GROUPS = """
mohammed muhammad mohammad mohamed muhammed mohamad mohd / hussain hussein husain hossain hussian
ahmed ahmad ahmet / yusuf yousuf yousef yusef / ayesha aisha aysha aishah aesha
fatima fatimah fathima / maryam mariam mariyam / zainab zaynab zeinab / khadija khadijah kadija
hassan hasan / umar omar omer / ibrahim ebrahim ibraheem / abdullah abdulla abdallah
usman osman uthman / chowdhury choudhury chaudhry chaudhary chowdhry / rahman rehman rahmaan
miah mia miya / uddin udin ud-din / qureshi quraishi / sheikh shaikh shaykh
mahmood mehmood mahmud / yasmin yasmeen / nasreen nasrin / noor nur nour / begum begam
akhtar akther aktar / iqbal ikbal / sean shaun shawn / catherine katherine kathryn catharine
jonathan johnathan jonathon / stephen steven / philip phillip / geoffrey jeffrey / sara sarah
alan allan allen / teresa theresa / clark clarke / smith smyth smythe / brown browne
reid reed read / thompson thomson / nicholson nicolson / macdonald mcdonald / davies davis
philips phillips / green greene / olena olyena elena / oleksandr alexander aleksandr
kateryna ekaterina katerina / svitlana svetlana
"""
_COUNTED_YEARS = range(1996, 2019, 4)  # for births after the last year that is known by rank
_YEARS_AROUND = 6
_LONG_TAIL = 3  # added to a rank: the first names are not as far ahead as 1 / rank


class WeightedNames:
    """Names, drawn in proportion to their weights."""

    def __init__(self, weighted: Iterable[tuple[str, float]]) -> None:
        pairs = list(weighted)
        self._names = [name for name, _ in pairs]
        self._cumulative = list(itertools.accumulate(weight for _, weight in pairs))

    def pick(self, rng: random.Random) -> str:
        """Draw one name."""
        return rng.choices(self._names, cum_weights=self._cumulative)[0]


class NameBook:
    """The name tables, and draws from them with one random generator."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._surnames = WeightedNames((row["surname"], float(row["freq"])) for row in _rows("surnames"))
        self._forenames = _forenames()
        self.forename_variants = _variants("forename_variants")
        self.surname_variants = _variants("surname_variants")
        self.districts = sorted(row["outward"] for row in _rows("postcode_districts"))
        self.other_spellings = {
            name: sorted(set(group.split()) - {name})
            for group in SPELLING_GROUPS.replace("\n", "/").split("/")
            for name in group.split()
        }

    def forename(self, sex: str, birth_year: int, *, transliterated: bool) -> str:
        """Draw a forename that fits the sex, the birth year and the naming tradition."""
        if transliterated and self._rng.random() < 0.85:
            return self._pick_early(TRANSLITERATED_FORENAMES[sex], 7)
        by_year = self._forenames[sex]
        return by_year[min(by_year, key=lambda year: abs(year - birth_year))].pick(self._rng)

    def surname(self, *, transliterated: bool) -> str:
        """Draw a surname that fits the naming tradition."""
        if transliterated and self._rng.random() < 0.9:
            return self._pick_early(TRANSLITERATED_SURNAMES, 8)
        return self._surnames.pick(self._rng)

    def _pick_early(self, names: list[str], mean_rank: float) -> str:
        """Draw from names in order of frequency, exponentially favouring the first."""
        return names[min(int(self._rng.expovariate(1 / mean_rank)), len(names) - 1)]


def _rows(table: str) -> Iterator[dict[str, str]]:
    with (NAMES / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _variants(table: str) -> dict[str, WeightedNames]:
    """A table of (name, variant, frequency) as name -> weighted variants."""
    variants: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in _rows(table):
        original, variant, frequency = row.values()
        variants[original].append((variant, float(frequency)))
    return {original: WeightedNames(pairs) for original, pairs in variants.items()}


@cache
def _forenames() -> dict[str, dict[int, WeightedNames]]:
    """Forenames by sex and year: known by rank once in a decade to 1994, by frequency every 4 years after."""
    weights: dict[tuple[str, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in _rows("forenames_top100_by_decade"):
        weights[row["sex"], int(row["year"])][row["forename"]] = 1 / (int(row["rank"]) + _LONG_TAIL)
    for row in _rows("forenames_by_birth_year"):
        for year in _COUNTED_YEARS:
            if abs(int(row["birthyear"]) - year) <= _YEARS_AROUND:
                weights[row["sex"], year][row["firstname"]] += float(row["freq"])
    forenames: dict[str, dict[int, WeightedNames]] = {"male": {}, "female": {}}
    for (sex, year), names in sorted(weights.items()):
        forenames[sex][year] = WeightedNames(sorted(names.items()))
    return forenames
