"""Two imports of one source at one time, such as the daily job and somebody's `patchwork import`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind
from consent_ledger.errors import HeadMoved
from gateway.errors import StorageError
from gateway.node.consents import ImportedConsent
from gateway.node.people import person_by_key
from gateway.node.results import MemberOutcome
from gateway.node.sources import consent_recorder
from mappings.model import ConsentStatement
from tests.federation import federation, result_of, someone

ASKER, AGENCY = "childrens-services", "housing"
SOURCE = "register"


async def test_a_consent_that_another_import_recorded_meanwhile_lifts_no_objection_made_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        await north.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        await north.add(AGENCY, *someone("Priya", "Nandakumar", "1988-02-03", key="p2"))
        node = north.nodes[AGENCY]
        other = await north.open(AGENCY)  # another process on the same files
        katherine, priya = [await node.database.read(person_by_key(SOURCE, key)) for key in ("p1", "p2")]
        assert katherine is not None
        assert priya is not None
        consents = [_imported(priya, "c2"), _imported(katherine, "c1")]
        record_all = node.parts.ledger.record_all

        async def paused(*new: Any, **more: Any) -> object:
            monkeypatch.setattr(node.parts.ledger, "record_all", record_all)
            await consent_recorder(other.parts.ledger, other.database)(consents[1:])
            objection = ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception")
            await other.parts.ledger.record(katherine, objection)
            return await record_all(*new, **more)

        monkeypatch.setattr(node.parts.ledger, "record_all", paused)
        await consent_recorder(node.parts.ledger, node.database)(consents)
        entries = [entry.body async for entry in node.parts.ledger.entries()]
        said = [body["recorded_by"] for body in entries if body is not None and "recorded_by" in body]
        assert said == ["source:register:c1", "reception", "source:register:c2"]
        completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        assert result_of(completed, AGENCY).outcome is MemberOutcome.NOTHING_TO_DISCLOSE
        await other.close()


async def test_an_import_that_never_finds_the_record_at_rest_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with federation(tmp_path, [AGENCY]) as north:
        await north.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        node = north.nodes[AGENCY]
        katherine = await node.database.read(person_by_key(SOURCE, "p1"))
        assert katherine is not None
        other = await north.open(AGENCY)
        record_all = node.parts.ledger.record_all
        refused = []

        async def overtaken(new: Sequence[Any], **more: Any) -> object:
            await other.parts.ledger.record(
                katherine, ConsentEntry(kind=ConsentKind.WITHDRAWAL, recorded_by="reception")
            )
            try:
                return await record_all(new, **more)
            except HeadMoved as error:
                refused.append(error)
                raise

        monkeypatch.setattr(node.parts.ledger, "record_all", overtaken)
        with pytest.raises(StorageError):
            await consent_recorder(node.parts.ledger, node.database)([_imported(katherine, "c1")])
        entries = [entry.body async for entry in node.parts.ledger.entries()]
        assert "consent" not in [body["kind"] for body in entries if body is not None]
        assert len(refused) > 1
        await other.close()


def _imported(person_id: int, reference: str) -> ImportedConsent:
    said = ConsentStatement(key=reference, person_key="p1", permit=True, given_on="2026-01-05")
    return ImportedConsent(reference=reference, source=SOURCE, person_id=person_id, statement=said, withdrawn=False)
