"""What an imported statement becomes in the ledger."""

from collections.abc import Sequence
from datetime import date
from typing import Any, cast

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind
from consent_ledger.ledger import Ledger
from gateway.database.contract import Database
from gateway.node.consents import ImportedConsent
from gateway.node.sources import consent_recorder, over_already
from mappings.model import ConsentStatement
from mappings.vocabulary import Mode


class Recorded:
    """In place of a ledger and of the database that reads it."""

    def __init__(self) -> None:
        self.entries: list[ConsentEntry] = []

    async def record_all(self, entries: Sequence[tuple[int, ConsentEntry]], *, held: object) -> None:
        self.entries += [entry for _, entry in entries]

    async def read(self, work: object) -> tuple[tuple[ConsentEntry, ...], int]:
        return (), -1


async def recorded(*, withdrawn: bool = False, **said: Any) -> ConsentEntry:
    both = Recorded()
    statement = ConsentStatement(key="c1", person_key="p1", **said)
    imported = ImportedConsent(reference="c1:1", source="cases", person_id=1, statement=statement, withdrawn=withdrawn)
    await consent_recorder(cast(Ledger, both), cast(Database, both))([imported])
    (entry,) = both.entries
    return entry


@pytest.mark.parametrize(
    ("modes", "least"),
    [
        ((), Mode.CALLBACK),
        ((Mode.SCHEDULE,), Mode.SCHEDULE),
        ((Mode.SCHEDULE, Mode.PRACTITIONER), Mode.PRACTITIONER),
    ],
)
async def test_an_objection_refuses_from_the_least_mode_that_it_names(modes: tuple[Mode, ...], least: Mode) -> None:
    entry = await recorded(permit=False, modes=modes)
    assert entry.kind is ConsentKind.OBJECTION
    assert [(line.permit, line.mode) for line in entry.provisions] == [(False, least)]


async def test_an_objection_to_the_mode_none_is_one_to_everything() -> None:
    assert (await recorded(permit=False, modes=(Mode.NONE,))).provisions == ()


async def test_a_permission_that_has_ended_takes_back_every_mode_of_it() -> None:
    entry = await recorded(permit=True, modes=(Mode.SCHEDULE,), withdrawn=True)
    assert entry.kind is ConsentKind.WITHDRAWAL
    assert [line.mode for line in entry.provisions] == [Mode.CALLBACK]


async def test_a_permission_that_is_over_is_on_record_with_its_last_day() -> None:
    entry = await recorded(permit=True, until="2020-01-01")
    assert (entry.kind, entry.until) == (ConsentKind.CONSENT, date(2020, 1, 1))


def test_permissions_that_were_over_when_they_were_read_are_counted() -> None:
    def said(until: str | None, *, permit: bool = True, withdrawn: bool = False) -> ImportedConsent:
        statement = ConsentStatement(key="c1", person_key="p1", permit=permit, until=until)
        return ImportedConsent(reference="c1", source="cases", person_id=1, statement=statement, withdrawn=withdrawn)

    today = date(2026, 11, 23)
    assert over_already([said("2026-11-22"), said("2020")], today) == 2
    assert over_already([said("2026-11-23"), said(None), said("2027")], today) == 0
    assert over_already([said("2020", permit=False), said("2020", withdrawn=True)], today) == 0
