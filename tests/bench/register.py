"""An export of generated people for measurements, in the shape of config/demo's housing association."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_START = (
    "al",
    "ben",
    "cor",
    "da",
    "el",
    "fa",
    "gar",
    "ha",
    "is",
    "jo",
    "ka",
    "lu",
    "ma",
    "nor",
    "os",
    "pri",
    "ro",
    "sa",
)
_END = (
    "bert",
    "dric",
    "la",
    "lyn",
    "mund",
    "na",
    "nia",
    "ric",
    "ron",
    "shan",
    "sia",
    "tan",
    "ton",
    "vin",
    "win",
    "yra",
)
_PLACE = ("ash", "beck", "clay", "dun", "elm", "fern", "gold", "hart", "ing", "kirk", "lang", "moor", "nether", "oak")
_SUFFIX = ("bourne", "by", "combe", "den", "field", "ford", "ham", "ley", "more", "ridge", "stead", "thwaite", "well")
_HEADER = (
    "Tenancy Ref;Tenant;DOB;Address;Postcode;NHS No;Status;Start Date;End Date;Household With;Housing Officer;"
    "Officer Ref;Officer Tel;Officer Mobile;Officer Email;Best Contact;Patch;Last Visit;Next Visit;"
    "Do Not Disclose Address\n"
)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One generated client, as it will be asked about."""

    given: str
    family: str
    born: str
    postcode: str


def tenants(count: int, *, seed: int = 5) -> Iterator[Tenant]:
    """The same people for the same seed; `count` of them."""
    chance = random.Random(seed)  # noqa: S311 - invented people
    for _ in range(count):
        given = (chance.choice(_START) + chance.choice(_END)).title()
        family = (chance.choice(_PLACE) + chance.choice(_SUFFIX)).title()
        born = f"{chance.randint(1935, 2020):04}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        letters = "ABDEFGHJLNPQRSTUWXYZ"
        postcode = f"ZM{chance.randint(1, 40)} {chance.randint(1, 9)}{chance.choice(letters)}{chance.choice(letters)}"
        yield Tenant(given, family, born, postcode)


def write_export(path: Path, count: int) -> None:
    """`count` generated tenancies, one row each."""
    write_tenancies(path, tenants(count))


def write_tenancies(path: Path, people: Iterable[Tenant]) -> None:
    """One row for each; every second one with a last visit."""
    with path.open("w", encoding="windows-1252", newline="") as file:
        file.write(_HEADER)
        for number, tenant in enumerate(people):
            year, month, day = tenant.born.split("-")
            officer = number % 200
            visit = "02/02/2026" if number % 2 else ""
            file.write(
                f'T{number:07};"{tenant.family.upper()}, {tenant.given}";{day}/{month}/{year};1 Test Row;'
                f'{tenant.postcode};;CUR;01/04/2020;;;"Officer, Number{officer}";HO{officer};01632 960{officer:03};'
                f"07700900{officer:03};officer{officer}@example.org;Email;North;{visit};;N\n"
            )
