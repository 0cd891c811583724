"""A node is backed up while it answers, put back elsewhere, and what it lacks is named."""

import asyncio
import shutil
import stat
import time
from pathlib import Path

import orjson

from gateway.node.results import MemberOutcome
from gateway.wire.jws import peek
from tests.bench.sealed_questions import NO_BUDGETS
from tests.federation import TestFederation, federation, result_of, someone
from tests.flow.commands import ROOT, Ran, done, in_process, one_agency, patchwork, refused

ASKER, ANSWERER = "childrens-services", "housing"
AT_ONCE = 4


async def test_a_node_backed_up_under_load_answers_elsewhere_with_all_that_had_left_it(tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    parts = _named(copies)
    async with federation(tmp_path, [ASKER, ANSWERER], now=time.time(), options=NO_BUDGETS, web=True) as north:
        await north.add(ANSWERER, *someone("Katherine", "Bramley", "1991-05-17"))
        config = str(north.folder / ANSWERER / "node.toml")
        before = {await _asked(north) for _ in range(5)}
        await north.nodes[ANSWERER].checkpoints.visit()

        ran, during = await _under_load(north, "node", "backup", str(copies / "records"), *parts, "-c", config)
        assert not ran.code, ran.said
        assert len(during) > AT_ONCE  # it went on answering
        manifest = orjson.loads((copies / "records" / "manifest.json").read_bytes())
        assert f"{manifest['ledger']['entries']} entries, root {manifest['ledger']['root']}" in ran.out
        assert manifest["checkpoint"].count("\n\u2014 ") == 2  # its own signature, and the hub's cosignature
        _kept_apart_and_private(copies)

        # The machine is lost; what was cosigned until the backup is all there.
        await north.stop(ANSWERER)
        (north.folder / ANSWERER).rename(north.folder / "old")
        restored = await _restored(copies, config)
        assert not restored.code, restored.said
        assert "the hub holds" in restored.out
        assert "all of them are here" in restored.out
        assert f"The ledger verifies: {manifest['ledger']['entries']} entries" in restored.out
        _private(north.folder / ANSWERER / "data")
        _private(north.folder / ANSWERER / "keys")
        assert (north.folder / ANSWERER / "data" / "web.db").exists()
        await north.start(ANSWERER)
        node = north.nodes[ANSWERER]
        assert before <= {entry.leaf_hash async for entry in node.parts.ledger.entries()}
        await north.refresh()
        await node.checkpoints.begin()
        assert not node.parts.standing.doubt
        assert await _asked(north)

        # Once the hub has cosigned what came later, the same backup is known to lack it.
        held = (await node.checkpoints.visit()).stored.checkpoint.head.size
        await north.stop(ANSWERER)
        shutil.rmtree(north.folder / ANSWERER)
        late = await _restored(copies, config)
        assert late.code == 1
        assert f"the hub holds {held} entries, epoch 1. SOMETHING IS LOST" in late.out
        assert "patchwork ledger restore" in late.out
        # And without the hub nobody can say so.
        await north.hub.close()
        shutil.rmtree(north.folder / ANSWERER)
        alone = await _restored(copies, config)
        assert alone.code == 1
        assert "the hub: " in alone.out


def test_what_is_damaged_mixed_up_or_in_the_way_is_refused_and_nothing_is_put_back(tmp_path: Path) -> None:
    config = one_agency(tmp_path)
    assert "node.db: the file cannot be opened" in _refused_here(
        "node", "backup", str(tmp_path / "none"), "-c", str(config)
    )
    assert not [path.name for path in tmp_path.iterdir() if "none" in path.name]  # no half of a backup is left
    done(tmp_path, "node", "status", "-c", str(config))
    together = tmp_path / "together"
    new = tmp_path / "new" / "node.toml"
    _in_process("node", "backup", str(together), "--together", "-c", str(config))
    restore = ("node", "restore", str(together), "-c", str(new))

    assert "holds something" in _refused_here("node", "backup", str(together), "--together", "-c", str(config))
    apart = ("--keys", str(tmp_path / "one"), "-c", str(config))
    assert "kept apart" in _refused_here("node", "backup", str(tmp_path / "one"), *apart)
    assert "--secrets" in _refused_here("node", "restore", str(together / "records"), "-c", str(new))

    ledger = together / "records" / "ledger.db"
    whole = ledger.read_bytes()
    ledger.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "ledger.db: is not the file that was backed up" in _refused_here(*restore)
    ledger.write_bytes(whole)

    manifest = together / "keys" / "manifest.json"
    noted = orjson.loads(manifest.read_bytes())
    for path in ("../signing.pem", "/etc/passwd", "a\\..\\b"):
        manifest.write_bytes(orjson.dumps({**noted, "files": [{**noted["files"][0], "path": path}]}))
        assert "does not lead below" in _refused_here(*restore)
    manifest.write_bytes(orjson.dumps({**noted, "member": "police"}))
    assert "is of police" in _refused_here(*restore)
    manifest.write_bytes((together / "secrets" / "manifest.json").read_bytes())
    assert "holds the secrets of a backup, not its keys" in _refused_here(*restore)
    manifest.write_bytes(orjson.dumps(noted))
    manifest = together / "accounts" / "manifest.json"
    noted = orjson.loads(manifest.read_bytes())
    manifest.write_bytes(orjson.dumps({**noted, "backup": "another"}))
    assert "accounts know clients by their numbers" in _refused_here(*restore)
    manifest.write_bytes(orjson.dumps(noted))
    assert not new.parent.exists()

    assert "holds something" in _refused_here("node", "restore", str(together), "-c", str(config))
    (new.parent / "data").mkdir(parents=True)
    (new.parent / "data" / "node.db").write_bytes(b"somebody's")
    assert "holds something" in refused(tmp_path, *restore)
    assert [path.name for path in new.parent.iterdir()] == ["data"]
    assert (new.parent / "data" / "node.db").read_bytes() == b"somebody's"


def test_a_file_of_the_configuration_that_lay_elsewhere_stops_no_comparison_with_the_hub(tmp_path: Path) -> None:
    config = one_agency(tmp_path)
    elsewhere = tmp_path / "in" / "agreement.toml"
    elsewhere.parent.mkdir()
    shutil.copy(ROOT / "config" / "agreements" / "children-and-families.toml", elsewhere)
    before = config.read_text()
    config.write_text(before.replace("agreements = []", 'agreements = ["../in/agreement.toml"]'))
    done(tmp_path, "node", "status", "-c", str(config))
    said = _in_process("node", "backup", str(tmp_path / "all"), "--together", "-c", str(config))
    assert f"Not in this backup: {elsewhere}, which" in said
    elsewhere.unlink()
    new = str(tmp_path / "new" / "node.toml")
    ran = in_process("node", "restore", str(tmp_path / "all"), "-c", new)
    assert "The ledger verifies" in ran.out
    assert "the hub: " in ran.out  # asked, though it is not there
    assert f"NOT THERE: {elsewhere}" in ran.out

    # Without these no hub can be asked: so nothing is put back, and the next try goes on.
    (tmp_path / "operator.jwk").write_bytes((config.parent / "operator.jwk").read_bytes())
    config.write_text(before.replace('"operator.jwk"', '"../operator.jwk"'))
    _in_process("node", "backup", str(tmp_path / "key"), "--together", "-c", str(config))
    (tmp_path / "operator.jwk").unlink()
    other = tmp_path / "other" / "node.toml"
    assert "put that file there first" in _refused_here("node", "restore", str(tmp_path / "key"), "-c", str(other))
    assert not other.parent.exists()


def _in_process(*words: str) -> str:
    ran = in_process(*words)
    assert not ran.code, ran.said
    return ran.out


def _refused_here(*words: str) -> str:
    ran = in_process(*words)
    assert ran.code, ran.said
    return ran.err


async def _asked(north: TestFederation) -> str:
    """One question; returns the hash of the ledger entry that its answer names."""
    north.clock.time = time.time()
    result = result_of(await north.ask(ASKER, "Katherine Bramley", born="1991-05-17"), ANSWERER)
    assert result.outcome is MemberOutcome.TEAMS, result
    assert result.answer is not None
    leaf: str = peek(result.answer, max_bytes=4096)["ledger_leaf"]
    return leaf


async def _under_load(north: TestFederation, *words: str) -> tuple[Ran, set[str]]:
    """What a command said while questions came all the time, and the entries of their answers."""
    command = asyncio.create_task(asyncio.to_thread(patchwork, north.folder, *words))
    leaves: set[str] = set()

    async def ask_on() -> None:
        while not command.done():
            leaves.add(await _asked(north))

    await asyncio.gather(*(ask_on() for _ in range(AT_ONCE)))
    return await command, leaves


async def _restored(copies: Path, config: str) -> Ran:
    words = ("node", "restore", str(copies / "records"), *_named(copies), "-c", config)
    return await asyncio.to_thread(patchwork, copies, *words)


def _named(copies: Path) -> list[str]:
    return [word for part in ("accounts", "secrets", "keys") for word in (f"--{part}", str(copies / part))]


def _kept_apart_and_private(copies: Path) -> None:
    def names(part: str) -> set[str]:
        return {path.name for path in (copies / part).rglob("*") if path.is_file()} - {"manifest.json"}

    assert names("records") == {"node.db", "ledger.db", "node.toml"}
    assert names("accounts") == {"web.db"}
    assert names("secrets") == {"keys.db"}
    assert names("keys") - {"web.key"} == {"signing.pem", "ledger.pem"}  # no sealing keys: those are to be gone in days
    for part in ("records", "accounts", "secrets", "keys"):
        _private(copies / part)


def _private(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
