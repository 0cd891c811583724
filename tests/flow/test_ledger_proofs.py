"""`patchwork ledger ...` as an officer types it, against a hub and a member that really are witnesses."""

import asyncio
import re
import shutil
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from consent_ledger.errors import LedgerError
from gateway.cli import application
from gateway.errors import InputError, PatchworkError
from gateway.node.inclusion import check_proof
from gateway.node.results import MemberOutcome
from gateway.wire import base64url
from gateway.wire.operator import load_verify_key
from tests.federation import TestFederation, federation, result_of, someone

ASKER, AGENCY = "childrens-services", "housing"
LOG = f"patchwork/northshire/{AGENCY}"
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Two members by the machine's own clock; the asker is a witness of the agency, and one answer has left."""
    async with federation(tmp_path, [ASKER, AGENCY], now=time.time()) as running:
        with (running.folder / AGENCY / "node.toml").open("a") as config:
            config.write(f'[ledger]\nwitnesses = ["{ASKER}"]\n')
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        await ask(running)
        yield running


async def ask(north: TestFederation) -> MemberOutcome:
    return result_of(await north.ask(ASKER, "Katherine Bramley", born="1991-05-17"), AGENCY).outcome


async def run(north: TestFederation, *arguments: str, typed: str = "") -> str:
    """A command that must succeed, in a thread of this process; the federation goes on meanwhile."""
    result = await _invoke(north, *arguments, typed=typed)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


async def fail(north: TestFederation, *arguments: str) -> str:
    """What a command says that must fail."""
    result = await _invoke(north, *arguments)
    assert isinstance(result.exception, PatchworkError | LedgerError), result.output
    return str(result.exception)


async def _invoke(north: TestFederation, group: str, command: str, *arguments: str, typed: str = "") -> Result:
    needs_node = command not in {"check-proof"}
    config = ["--config", str(north.folder / AGENCY / "node.toml")] if needs_node else []
    words = [group, command, *config, *arguments]
    return await asyncio.to_thread(CliRunner().invoke, application(), words, typed)


async def test_an_entry_is_proven_to_somebody_who_has_only_the_operators_key(north: TestFederation) -> None:
    kept, file = str(north.folder / "kept.notes"), north.folder / "proof.json"
    said = await run(north, "ledger", "checkpoint", "--out", kept)
    assert "hub cosigned 9 entries" in said  # an answer, and the acceptance of the agreement with seven fillers
    assert f"{ASKER} cosigned 9 entries" in said
    verified = await run(north, "ledger", "verify")
    assert "9 entries, all as they were written" in verified
    assert "It has all that the witnesses who answered hold of it." in verified
    for witness in ("hub", ASKER):
        assert f"patchwork/northshire/{witness} vouches for the first 9" in verified
    assert "1 checkpoint fits." in await run(north, "ledger", "verify", "--checkpoints", kept)

    await run(north, "ledger", "prove", "1", "--out", str(file))
    operator = ("--operator-key", str(north.folder / "operator" / "operator.jwk"))
    leaf = [entry.leaf_hash async for entry in north.nodes[AGENCY].parts.ledger.entries()][1]
    checked = await run(north, "ledger", "check-proof", str(file), *operator, "--leaf", leaf)
    assert "stands in its ledger of 9 entries, epoch 1" in checked
    for witness in ("hub", ASKER):
        assert f"patchwork/northshire/{witness} vouches" in checked
    assert "another entry" in await fail(north, "ledger", "check-proof", str(file), *operator, "--leaf", "0" * 64)
    assert await by_the_documents_words(file) == f"entry 1 stands in the ledger of 9 entries that {LOG} has signed\n"
    file.write_bytes(file.read_bytes().replace(leaf.encode(), b"0" * 64))
    assert await by_the_documents_words(file) == ""
    assert "there is no entry 9" in await fail(north, "ledger", "prove", "9")


async def by_the_documents_words(file: Path) -> str:
    """What the check in docs/wire.md says, which uses nothing of ours; nothing if it fails."""
    section = (ROOT / "docs" / "wire.md").read_text().partition("## Inclusion proofs")[2]
    code = section.partition("```python\n")[2].partition("```")[0]
    checking = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", code, str(file), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    said, _ = await checking.communicate()
    assert bool(checking.returncode) == (not said)
    return said.decode()


async def test_a_forged_proof_does_not_hold(north: TestFederation) -> None:
    file = north.folder / "proof.json"
    await run(north, "ledger", "prove", "1", "--out", str(file))
    operator_key = load_verify_key(north.folder / "operator" / "operator.jwk")
    proof = orjson.loads(file.read_bytes())
    assert check_proof(file.read_bytes(), operator_key=operator_key).seq == 1
    changes: list[dict[str, Any]] = [{"leaf_hash": "0" * 64}, {"seq": 0}, {"seq": 2}, {"seq": -1}, {"seq": "1"}]
    changes += [{"member": ASKER}, {"member": "nobody"}, {"proof": []}, {"proof": ["AA"]}]
    changes += [{"checkpoint": "AA"}, {"format": "x"}, {"more": 1}]
    for change in changes:
        with pytest.raises(InputError):
            check_proof(orjson.dumps(proof | change), operator_key=operator_key)
    another = next(iter(north.operator.document.hub_keys.values()))
    with pytest.raises(InputError, match="does not hold"):
        check_proof(file.read_bytes(), operator_key=another)
    # Whoever takes the cosignatures out gains nothing but that nobody vouches.
    own = base64url.decode_text(proof["checkpoint"]).decode().splitlines(keepends=True)[:6]
    alone = proof | {"checkpoint": base64url.encode_text("".join(own).encode())}
    assert check_proof(orjson.dumps(alone), operator_key=operator_key).vouched == ()


async def test_restore_refuses_another_agencys_file_and_leaves_it_as_it_was(north: TestFederation) -> None:
    await run(north, "ledger", "checkpoint")
    await north.nodes[ASKER].checkpoints.visit()
    for member in (AGENCY, ASKER):
        await north.stop(member)
    own, other = (north.folder / member / "data" / "ledger.db" for member in (AGENCY, ASKER))
    shutil.copyfile(other, own)
    refused = await fail(north, "ledger", "restore", "--by", "officer", "--yes")
    assert refused == "the ledger file is another agency's: put back this agency's own"
    with closing(sqlite3.connect(own)) as database:
        assert database.execute("SELECT max(epoch) FROM checkpoint").fetchone() == (1,)


async def test_an_officer_restores_a_backup(north: TestFederation) -> None:
    data, backup = north.folder / AGENCY / "data", north.folder / "backup"
    kept = str(north.folder / "kept.notes")
    assert "nothing to restore" in await run(north, "ledger", "restore", "--by", "officer")
    await north.stop(AGENCY)
    shutil.copytree(data, backup)
    await north.start(AGENCY)
    await north.refresh(AGENCY)
    await ask(north)
    await run(north, "ledger", "checkpoint", "--out", kept)
    await north.stop(AGENCY)
    shutil.rmtree(data)
    shutil.copytree(backup, data)

    status = await run(north, "node", "status")
    assert "NOTHING IS DISCLOSED: the ledger has 2 entries, fewer than what the hub holds" in status
    assert "what each witness said when it was last asked to cosign:" in status
    assert "fewer than" in await fail(north, "ledger", "checkpoint")
    assert "does not fit" in await fail(north, "ledger", "verify", "--checkpoints", kept)
    export = await _invoke(north, "ledger", "export", "--since", "2020-01-01")
    assert export.exit_code == 1
    assert "THE RECORD IS IN DOUBT: the ledger has 2 entries, fewer than what the hub holds" in export.stderr
    assert "AuditEvents written" in export.stderr
    refused = await _invoke(north, "ledger", "restore", "--by", "officer", typed="n\n")
    assert refused.exit_code == 1
    assert re.search(r"Its newest entry is of 20\d\d-\d\d-\d\d \d\d:\d\d UTC\. What was recorded after", refused.output)
    assert "NOTHING IS DISCLOSED" in await run(north, "node", "status")
    said = await run(north, "ledger", "restore", "--by", "officer", typed="y\n")
    assert "hub holds 10 entries, epoch 1" in said
    assert "the old one had come to 10 in epoch 1" in said
    assert "withdrawals and objections: enter them again" in said
    assert "Epoch 2 begins with 9 entries and names the old head" in said
    assert "hub cosigned 9 entries" in said

    status = await run(north, "node", "status")
    assert "NOTHING IS DISCLOSED" not in status
    export = await _invoke(north, "ledger", "export", "--since", "2020-01-01")
    assert export.exit_code == 0
    assert "IN DOUBT" not in export.stderr
    assert "The record was restored on " in export.stderr
    await north.start(AGENCY)
    await north.refresh(AGENCY)
    await north.nodes[AGENCY].checkpoints.begin()
    assert await ask(north) is MemberOutcome.TEAMS
    (entry,) = [
        each.body
        async for each in north.nodes[AGENCY].parts.ledger.entries()
        if each.body is not None and each.body["kind"] == "epoch"
    ]
    assert (entry["by"], entry["after"]["size"]) == ("officer", 10)


async def test_an_older_copy_put_in_its_place_verifies_by_itself_and_is_in_doubt_by_its_witnesses(
    north: TestFederation,
) -> None:
    await north.stop(AGENCY)
    data = north.folder / AGENCY / "data"
    old = (data / "ledger.db").read_bytes()
    await north.start(AGENCY)
    await run(north, "ledger", "checkpoint")
    await north.stop(AGENCY)
    for file in data.glob("ledger.db*"):
        file.unlink()
    (data / "ledger.db").write_bytes(old)
    result = await _invoke(north, "ledger", "verify")
    assert result.exit_code == 1
    assert "all as they were written" in result.output
    assert "THE RECORD IS IN DOUBT: the ledger has" in result.stderr
    assert "fewer than what the hub holds" in result.stderr
