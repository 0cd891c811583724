"""`patchwork doctor` at a running node and hub, and after something has gone."""

import asyncio
import json
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from gateway.cli import status
from gateway.doctor.finding import Finding, Level, worst
from gateway.doctor.gather_hub import examine_hub
from gateway.doctor.gather_node import examine_node
from gateway.doctor.running import RUNNING_FILE, Running
from gateway.settings import load_hub, load_node
from tests.federation import TestFederation, TurnedClock, federation, someone
from tests.flow.commands import in_process, patchwork

ASKER, AGENCY = "childrens-services", "housing"
DAY = 86_400


async def node(north: TestFederation) -> list[Finding]:
    return await examine_node(load_node(north.folder / AGENCY / "node.toml"), north.clock)


async def hub(north: TestFederation) -> list[Finding]:
    return await examine_hub(load_hub(north.folder / "hub" / "hub.toml"), north.clock)


def by_check(findings: list[Finding], level: Level) -> dict[str, str]:
    return {finding.check: finding.what for finding in findings if finding.level is level}


async def test_a_node_and_a_hub_that_are_well_and_then_are_not(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        await north.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        await north.nodes[AGENCY].checkpoints.visit()
        findings = await node(north)
        assert worst(findings) is Level.WELL, findings
        checks = {finding.check for finding in findings}
        looked = {"keys", "federation", "hub", "clock", "database", "ledger", "agreements", "disk", "import", "door"}
        assert checks == looked
        assert worst(await hub(north)) is Level.WELL

        # Nobody renews the document: the last day is announced, and when it is over nothing works, and it says why.
        north.clock.turn(6.5 * DAY)
        assert "federation document" in by_check(await node(north), Level.SOON)["expiry.document"]
        north.clock.turn(DAY)
        findings = await node(north)
        wrong = by_check(findings, Level.WRONG)
        assert "asks nothing and answers nothing" in wrong["federation"]
        assert "expired 12 hours ago" in wrong["federation"]
        assert wrong["door"].endswith("federation-stale")
        assert "gives no federation document" in wrong["hub"]
        assert "no node asks or answers" in by_check(await hub(north), Level.WRONG)["federation"]
        assert "Bramley" not in str(findings)

        # The hub and the node go; a key file is open to others; a database has been damaged.
        await north.publish()
        await north.stop(AGENCY)
        data = tmp_path / AGENCY / "data"
        (data / "keys.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 8192)
        (tmp_path / AGENCY / "keys" / "signing.pem").chmod(0o644)
        before = {path: path.read_bytes() for path in data.glob("*.db")}
        wrong = by_check(await node(north), Level.WRONG)
        assert {"keys", "database", "door"} <= wrong.keys()
        assert "mode is 0644" in wrong["keys"]
        assert "keys.db" in wrong["database"]
        assert {path: path.read_bytes() for path in data.glob("*.db")} == before


async def test_the_command_says_by_its_exit_code_how_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with federation(tmp_path, [AGENCY], now=time.time()) as north:
        config = str(tmp_path / AGENCY / "node.toml")
        await north.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        later = TurnedClock(north.clock.time + 6.4 * DAY)
        monkeypatch.setattr(status, "CLOCK", later)
        runs = Running(at=later.time, settings="another", links={})
        (tmp_path / AGENCY / "data" / RUNNING_FILE).write_bytes(json.dumps(asdict(runs)).encode())
        await status.show_status(load_node(Path(config)), lambda _, line: print(line))  # noqa: T201
        told = capsys.readouterr().out
        assert "federation document 3 ends in 14 hours" in told
        assert "Member list 3, good for another 14 hours" in told
        assert "No source is configured" in told
        assert "(clients: 1)" in told
        assert "start it again" in told
        await north.nodes[AGENCY].checkpoints.visit()
        ran = await asyncio.to_thread(patchwork, tmp_path, "doctor", "-c", config, "--json")
        found = json.loads(ran.out)
        assert (ran.code, found["level"], ran.err) == (0, "well", ""), found
        assert {"check", "level", "what", "do"} == set(found["findings"][0])
        ran = await asyncio.to_thread(patchwork, tmp_path, "doctor", "-c", config, later=True)
        assert ran.code == 1
        assert ran.out.startswith("WRONG ")
        assert "clock: this machine's clock is " in ran.out
        assert "do: " in ran.out


def test_a_configuration_that_cannot_be_read_is_a_finding_without_its_values(tmp_path: Path) -> None:
    config = tmp_path / "node.toml"
    config.write_text('[node]\nmember = "Kit Bramley"\nnonsense = "secret"\n')
    ran = in_process("doctor", "-c", str(config))
    assert ran.code == 1
    assert "nonsense: unknown key" in ran.out
    assert "node.member" in ran.out
    assert not {"Bramley", "secret"} & set(ran.out.replace('"', " ").split())
    assert in_process("doctor", "-c", str(tmp_path / "nowhere.toml")).code == 1
