"""`patchwork doctor` at nodes that look well and disclose nothing: an older ledger, no data, no agreement."""

import shutil
from pathlib import Path

from gateway.doctor.finding import Finding, Level
from gateway.doctor.gather_node import examine_node
from gateway.settings import load_node
from tests.federation import TestFederation, federation, someone

ASKER, AGENCY = "childrens-services", "housing"


async def wrongs(north: TestFederation, level: Level = Level.WRONG) -> dict[str, Finding]:
    settings = load_node(north.folder / AGENCY / "node.toml")
    return {each.check: each for each in await examine_node(settings, north.clock) if each.level is level}


async def test_an_older_ledger_and_a_folder_that_has_gone_are_told_from_well_and_a_hub_of_two_from_none(
    tmp_path: Path,
) -> None:
    data, older = tmp_path / AGENCY / "data", tmp_path / "older"
    async with federation(tmp_path, [ASKER, AGENCY], second_hub=True) as north:
        await north.nodes[AGENCY].checkpoints.visit()
        await north.stop(AGENCY)
        shutil.copytree(data, older)
        await north.start(AGENCY)
        await north.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        await north.nodes[AGENCY].checkpoints.visit()
        assert await wrongs(north) == {}

        assert north.second_hub is not None
        await north.second_hub.close()
        assert await wrongs(north) == {}
        assert "questions go to another" in (await wrongs(north, Level.SOON))["hub"].what
        await north.stop(AGENCY)
        north.second_hub = None

        # An administrator has put an older backup of the data back: `patchwork node status` would say the same.
        shutil.move(data, tmp_path / "newer")
        shutil.copytree(older, data)
        before = {path: path.read_bytes() for path in data.glob("*.db")}
        ledger = (await wrongs(north))["ledger"]
        assert "fewer than what the hub holds of epoch 1" in ledger.what
        assert "`patchwork ledger restore`" in ledger.do
        assert {path: path.read_bytes() for path in data.glob("*.db")} == before

        # The disk is not mounted.
        shutil.rmtree(data)
        database = (await wrongs(north))["database"]
        assert "is not there, and this node has had it" in database.what
        assert "do not start it on an empty folder" in database.do
        assert not data.exists()
        shutil.move(tmp_path / "newer", data)
        await north.start(AGENCY)
        assert await wrongs(north) == {}


async def test_a_node_with_whom_nobody_has_an_agreement_and_whom_members_wait_for_is_told(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY], accept="local", not_accepting=[AGENCY]) as north:
        agreements = (await wrongs(north))["agreements"]
        assert "none in force" in agreements.what
        assert "not accepted here" in agreements.what
        assert f"{ASKER} (new-member)" in (await wrongs(north, Level.SOON))["members"].what
        await north.nodes[AGENCY].parts.membership.accept(ASKER)
        assert "members" not in await wrongs(north, Level.SOON)
        assert "agreements" in await wrongs(north)
