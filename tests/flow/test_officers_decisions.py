"""What an agency's officer decides in one process is what its running node does."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from consent_ledger.append import AcceptedAgreement
from consent_ledger.consent import ConsentKind
from consent_ledger.ledger import Ledger
from consent_ledger.read import accepted_agreements, consents_of
from gateway.app.node import accept_agreements, open_node
from gateway.database.contract import Row, Statement, Work
from gateway.errors import StorageError
from gateway.node.agreements import accept_listed
from gateway.node.consents import ImportedConsent
from gateway.node.people import person_by_key
from gateway.node.results import MemberOutcome
from gateway.node.sources import consent_recorder
from gateway.settings import load_node
from mappings.model import ConsentStatement
from mappings.vocabulary import MAX_SCOPE, Mode
from tests.federation import NAME, SOURCE, TestFederation, federation, result_of, someone

TWO = ("childrens-services", "housing")


def _people() -> Work[list[Row]]:
    """Key and id of each client."""
    return (yield Statement("SELECT key, id FROM person"))


async def accept_in_another_process(running: TestFederation, member: str, other: str) -> None:
    """`patchwork node accept`: a second node object on the same files."""
    second = await open_node(load_node(running.folder / member / "node.toml"), clock=running.clock)
    try:
        await second.parts.membership.refresh()
        await second.parts.membership.accept(other)
    finally:
        await second.close()


async def test_a_running_node_follows_when_its_officer_accepts_a_member_elsewhere(tmp_path: Path) -> None:
    async with federation(tmp_path, TWO, accept="local") as north:
        await north.add("housing", *someone("Kit", "Bramley", "1991-05-17"))
        me = north.nodes["childrens-services"].parts.membership
        assert set(me.current().federation.members) == {"childrens-services"}  # itself, which nobody need accept
        await accept_in_another_process(north, "childrens-services", "housing")
        await accept_in_another_process(north, "housing", "childrens-services")
        await north.refresh()
        assert me.current().waiting == ()
        completed = await north.ask("childrens-services", "Kit Bramley", born="1991-05-17", postcode="ZM4 7QT")
        assert result_of(completed, "housing").outcome is MemberOutcome.TEAMS


async def test_a_resumed_member_is_asked_again_after_its_own_next_refresh(tmp_path: Path) -> None:
    async with federation(tmp_path, TWO) as north:
        suspended = replace(north.operator, document=north.operator.suspend("housing", north.clock.now()))
        await north.publish()
        await north.refresh()
        suspended.resume("housing", north.clock.now())
        await north.publish()
        await north.refresh()
        # An asker that had never met it knows no other way to its sealing key.
        (served,) = (await north.nodes["childrens-services"].parts.hubs.sealing_keys()).values()
        assert "housing" in served
        completed = await north.ask("childrens-services", "Kit Bramley", born="1991-05-17")
        assert result_of(completed, "housing").outcome is MemberOutcome.NOTHING_TO_DISCLOSE


async def test_an_agreement_that_is_no_longer_listed_is_on_record_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with federation(tmp_path, TWO) as north:
        node = north.nodes["housing"]
        recorded: list[AcceptedAgreement] = []
        accept = Ledger.accept_agreement

        async def noted(ledger: Ledger, agreement: AcceptedAgreement, *, by: str) -> object:
            recorded.append(agreement)
            return await accept(ledger, agreement, by=by)

        monkeypatch.setattr(Ledger, "accept_agreement", noted)
        (sha256,) = await node.database.read(accepted_agreements(NAME))
        await accept_listed([], ledger=node.parts.ledger, database=node.database, federation=NAME)
        (withdrawn,) = recorded
        assert (withdrawn.uri, withdrawn.version) == ("https://example.org/agreements/tests", "1")
        assert (withdrawn.sha256, withdrawn.accepted) == (sha256, False)
        assert await node.database.read(accepted_agreements(NAME)) == frozenset()


async def test_only_a_start_or_a_search_ends_what_an_agreement_allowed(tmp_path: Path) -> None:
    async with federation(tmp_path, TWO) as north:
        await north.add("housing", *someone("Kit", "Bramley", "1991-05-17"))
        file = tmp_path / "housing" / "node.toml"
        file.write_text(file.read_text().replace("agreements = [", "agreements = []  # ["))
        await (await north.open("housing")).close()  # as `patchwork node status` and `patchwork import` do
        completed = await north.ask("childrens-services", "Kit Bramley", born="1991-05-17", postcode="ZM4 7QT")
        assert result_of(completed, "housing").outcome is MemberOutcome.TEAMS
        searching = await north.open("housing")
        await accept_agreements(searching)
        await searching.close()
        completed = await north.ask("childrens-services", "Kit Bramley", born="1991-05-17", postcode="ZM4 7QT")
        assert result_of(completed, "housing").outcome is MemberOutcome.NOTHING_TO_DISCLOSE
        file.write_text(file.read_text().replace("agreements = []  # [", "agreements = ["))
        await north.stop("housing")
        await north.start("housing")
        completed = await north.ask("childrens-services", "Kit Bramley", born="1991-05-17", postcode="ZM4 7QT")
        assert result_of(completed, "housing").outcome is MemberOutcome.TEAMS


@pytest.mark.parametrize(
    ("permit", "until", "last_day"),
    [
        (True, "2027", date(2027, 1, 1)),
        (True, "2027-02", date(2027, 2, 1)),
        (True, "2027-02-03", date(2027, 2, 3)),
        (False, "2027", date(2027, 12, 31)),
        (False, "2028-02", date(2028, 2, 29)),
        (True, None, None),
    ],
)
async def test_an_end_without_a_day_is_read_so_that_least_is_disclosed(
    tmp_path: Path, permit: bool, until: str | None, last_day: date | None
) -> None:
    async with federation(tmp_path, ("housing",)) as north:
        await north.add("housing", *someone("Kit", "Bramley", "1991-05-17"))
        node = north.nodes["housing"]
        person_id = await node.database.read(person_by_key(SOURCE, "p1"))
        assert person_id is not None
        said = ConsentStatement(key="d1", person_key="p1", permit=permit, until=until)
        imported = ImportedConsent(reference="r1", source=SOURCE, person_id=person_id, statement=said, withdrawn=False)
        await consent_recorder(node.parts.ledger, node.database)([imported])
        ((entry,), _) = await node.database.read(consents_of([person_id]))
        assert entry.until == last_day


async def test_a_statement_that_cannot_be_held_as_it_stands_discloses_least_and_keeps_none_behind_it_waiting(
    tmp_path: Path,
) -> None:
    too_many = tuple(str(number) for number in range(MAX_SCOPE + 1))
    statements = [
        ConsentStatement(key="d1", person_key="p1", permit=True, modes=(Mode.NONE,)),
        ConsentStatement(key="d2", person_key="p1", permit=True, recipients=too_many),
        ConsentStatement(key="d3", person_key="p1", permit=False, recipients=too_many),
        ConsentStatement(key="d4", person_key="p2", permit=False),
    ]
    async with federation(tmp_path, ("housing",)) as north:
        await north.add("housing", *someone("Kit", "Bramley", "1991-05-17"))
        await north.add("housing", *someone("Priya", "Nandakumar", "1988-02-03", key="p2"))
        node = north.nodes["housing"]
        ids: dict[str, int] = dict(await node.database.read(_people()))
        imported = [
            ImportedConsent(
                reference=said.key, source=SOURCE, person_id=ids[said.person_key], statement=said, withdrawn=False
            )
            for said in statements
        ]
        for _ in range(2):  # a run that broke off delivers them again
            await consent_recorder(node.parts.ledger, node.database)(imported)
        held, _ = await node.database.read(consents_of([ids["p1"]]))
        assert [(entry.kind, entry.provisions) for entry in held] == [
            (ConsentKind.WITHDRAWAL, ()),
            (ConsentKind.WITHDRAWAL, ()),
            (ConsentKind.OBJECTION, ()),
        ]
        ((behind,), _) = await node.database.read(consents_of([ids["p2"]]))
        assert behind.kind is ConsentKind.OBJECTION


async def test_of_statements_delivered_together_none_is_on_record_without_those_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with federation(tmp_path, ("housing",)) as north:
        await north.add("housing", *someone("Kit", "Bramley", "1991-05-17"))
        node = north.nodes["housing"]
        person_id = await node.database.read(person_by_key(SOURCE, "p1"))
        assert person_id is not None
        permits = [True, False] * 150  # more than one transaction of the sequencer takes
        imported = [
            ImportedConsent(
                reference=f"r{number}",
                source=SOURCE,
                person_id=person_id,
                statement=ConsentStatement(key=f"d{number}", person_key="p1", permit=permit),
                withdrawn=False,
            )
            for number, permit in enumerate(permits)
        ]
        record = consent_recorder(node.parts.ledger, node.database)
        write = node.ledger_database.write

        async def fails(_: object) -> None:
            monkeypatch.setattr(node.ledger_database, "write", write)  # the next attempt goes well
            raise OSError("disk full")

        monkeypatch.setattr(node.ledger_database, "write", fails)
        with pytest.raises(StorageError):
            await record(imported)
        assert (await node.database.read(consents_of([person_id])))[0] == ()
        await record(imported[:3])
        await record(imported)  # a run that broke off delivers all of them again
        held, _ = await node.database.read(consents_of([person_id]))
        assert [entry.recorded_by for entry in held] == [f"source:{SOURCE}:r{n}" for n in range(len(permits))]
