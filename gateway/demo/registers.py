"""What each of the five agencies wrote down of the people of Northshire: its own clients, staff and mistakes.

Deterministic but for `today`, the day of the first run, from which contacts and visits are counted. The shapes of the
exports are gateway/demo/exports/; the people of the three questions are gateway/demo/questions.py.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count, pairwise

from gateway.demo.agencies import AGENCIES, Agency
from gateway.demo.names import BOYS, FAMILIES, GIRLS, NICKNAMES
from gateway.demo.people import SEED, Resident, residents
from gateway.demo.questions import QUESTIONS, Planted

CLIENTS = 2000  # of each agency
STAFF = 40
HOURS = ("Mon-Fri 9-5", "Mon, Tue, Thu", "Wed-Fri", "Tue-Fri, 10-2")
AWAY = 8  # one worker in so many, the first among them


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team with its duty line; `code` means something to the agency's own system."""

    number: int
    name: str
    code: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A professional or volunteer of one team; `cover` is the number of who stands in while they are away."""

    number: int
    given: str
    family: str
    role: str
    team: Team
    phone: str
    mobile: str
    email: str
    prefers_mobile: bool
    hours: str
    away_until: date | None
    cover: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A person as one agency recorded them; empty text is a missing field, `birth_date` is ISO."""

    number: int
    given: tuple[str, ...]
    family: str
    known_as: str
    birth_date: str
    nhs_number: str
    street: str
    town: str
    postcode: str
    household: int
    consent: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Involvement:
    """A worker with a client, and when they last met and meet next; it was last confirmed when they last met."""

    client: Client
    worker: Worker
    lead: bool
    start: date
    end: date | None
    last_contact: date
    next_visit: date | None
    sensitive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """All that one agency holds. `today` is the day on which its export is made."""

    member: str
    today: date
    teams: tuple[Team, ...]
    workers: tuple[Worker, ...]
    clients: tuple[Client, ...]
    involvements: tuple[Involvement, ...]

    def by_client(self) -> Iterator[tuple[Client, list[Involvement]]]:
        """Every client with their involvements."""
        found: dict[int, list[Involvement]] = {client.number: [] for client in self.clients}
        for involvement in self.involvements:
            found[involvement.client.number].append(involvement)
        for client in self.clients:
            yield client, found[client.number]

    def housemates(self) -> Iterator[tuple[Client, Client]]:
        """Each client with the one recorded before them in the same home."""
        for earlier, client in pairwise(self.clients):
            if client.household == earlier.household:
                yield client, earlier


def registers(today: date) -> tuple[Register, ...]:
    """All five, as on `today`."""
    homes: dict[int, list[Resident]] = {}
    for resident in residents():
        homes.setdefault(resident.household, []).append(resident)
    need = random.Random(SEED + 1)  # households that one agency knows are likelier to be known to another
    pressing = {household: need.random() for household in homes}
    return tuple(
        _Recorder(agency, random.Random(f"{SEED} {agency.member}"), today).register(homes, pressing)
        for agency in AGENCIES
    )


class _Recorder:
    """One agency at work: takes households in the order of their need until it has its clients."""

    def __init__(self, agency: Agency, rng: random.Random, today: date) -> None:
        self.agency = agency
        self.rng = rng
        self.today = today
        self.numbers = count(agency.first_key)
        self.teams = tuple(
            Team(
                number=number,
                name=name,
                code=code,
                phone=f"01632 960{agency.phone + number}",
                email=f"duty.{name.lower().replace(' ', '-').replace(chr(39), '')}@example.org",
            )
            for number, (name, code) in enumerate(agency.teams, 1)
        )
        staff = zip(rng.sample((*GIRLS, *BOYS), STAFF), rng.sample(FAMILIES, STAFF), strict=True)
        self.workers = tuple(self._worker(number, given, family) for number, (given, family) in enumerate(staff, 1))

    def register(self, homes: dict[int, list[Resident]], pressing: dict[int, float]) -> Register:
        clients = [self._planted(record) for record in _planted_at(self.agency.member)]
        for household in sorted(homes, key=lambda number: pressing[number] + 0.4 * self.rng.random()):
            clients += [self._client(person) for person in homes[household] if self._is_client(person)]
        del clients[CLIENTS:]
        return Register(
            member=self.agency.member,
            today=self.today,
            teams=self.teams,
            workers=self.workers,
            clients=tuple(clients),
            involvements=tuple(found for client in clients for found in self._involved(client)),
        )

    def _is_client(self, person: Resident) -> bool:
        age = self.today.year - person.birth_date.year
        return self.agency.youngest <= age <= self.agency.oldest and self._chance(0.8)

    def _worker(self, number: int, given: str, family: str) -> Worker:
        away = number % AWAY == 1
        return Worker(
            number=number,
            given=given,
            family=family,
            role=self.agency.roles[number % len(self.teams) % len(self.agency.roles)],
            team=self.teams[number % len(self.teams)],
            phone=f"01632 960{self.agency.phone + 20 + number}",
            mobile=f"07700 900{self.agency.phone + number}" if self._chance(0.7) else "",
            email=f"{given}.{family}{number}@example.org".lower(),
            prefers_mobile=self._chance(0.5),
            hours=HOURS[number % len(HOURS)],
            away_until=self.today + timedelta(14) if away else None,
            cover=(number + len(self.teams) - 1) % STAFF + 1 if away else None,  # the next of the team
        )

    def _planted(self, record: Planted) -> Client:
        return Client(
            number=next(self.numbers),
            given=record.given,
            family=record.family,
            known_as="",
            birth_date=record.birth_date,
            nhs_number=record.nhs_number,
            street=f"{7 + 16 * record.question} Harebell Way",
            town="Kettlewick",
            postcode=record.postcode,
            household=-1 - record.question,
            consent=record.consent,
        )

    def _client(self, person: Resident) -> Client:
        return Client(
            number=next(self.numbers),
            given=tuple(self._spelt(name) for name in person.given),
            family=self._spelt(person.family),
            known_as=NICKNAMES.get(person.given[0], "") if self._chance(self.agency.nicknames) else "",
            birth_date=self._dated(person.birth_date),
            nhs_number=person.nhs_number if self._chance(self.agency.with_nhs_number) else "",
            street=person.street,
            town=person.town,
            postcode="" if self._chance(self.agency.careless) else person.postcode,
            household=person.household,
            consent=self._chance(0.7) if self.agency.consents else None,
        )

    def _spelt(self, name: str) -> str:
        """A name, sometimes with two letters exchanged, one left out or one doubled."""
        if len(name) < 5 or not self._chance(self.agency.careless):
            return name
        place = self.rng.randrange(1, len(name) - 2)
        head, pair, tail = name[:place], name[place : place + 2], name[place + 2 :]
        return head + self.rng.choice((pair[::-1], pair[:1], pair[:1] * 2 + pair[1:])) + tail

    def _dated(self, born: date) -> str:
        """A birth date, sometimes missing, only a year, or with day and month exchanged."""
        if self._chance(self.agency.careless):
            return self.rng.choice(("", f"{born:%Y}"))
        if born.day <= 12 and self._chance(self.agency.careless):
            return born.replace(day=born.month, month=born.day).isoformat()
        return born.isoformat()

    def _involved(self, client: Client) -> list[Involvement]:
        """One or two workers, the first of them leading; those of the questions are still at work."""
        planted = client.household < 0
        workers = [worker for worker in self.workers if not planted or worker.team.name != self.agency.sensitive_team]
        found: list[Involvement] = []
        for worker in self.rng.sample(workers, 1 if self._chance(0.75) else self.agency.most_workers):
            start = self.today - timedelta(self.rng.randint(60, 900))
            ended = not planted and self.rng.random() < 0.12
            found.append(
                Involvement(
                    client=client,
                    worker=worker,
                    lead=not found,
                    start=start,
                    end=start + timedelta(self.rng.randint(14, 50)) if ended else None,
                    last_contact=max(start, self.today - timedelta(self.rng.randint(1, 59))),
                    next_visit=self.today + timedelta(self.rng.randint(3, 60))
                    if planted or self._chance(0.5)
                    else None,
                    sensitive=worker.team.name == self.agency.sensitive_team,
                )
            )
        return found

    def _chance(self, share: float) -> bool:
        return self.rng.random() < share


def _planted_at(member: str) -> list[Planted]:
    return [
        replace(record, question=number)
        for number, question in enumerate(QUESTIONS)
        for record in question.records
        if record.member == member
    ]
