"""The commands of a node in two federations: each says which it is about, and touches no other."""

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from gateway.cli.rotate_ledger_key import ledger_rotation_request
from gateway.database.contract import Statement, Work
from gateway.days import DAY_S
from gateway.errors import NotForUs
from gateway.node.identity import load_identity, make_keys
from gateway.settings import load_node
from gateway.wire.join import KEY_YEARS_S, verify_join
from gateway.wire.keys import SigningKey, fingerprint
from tests.federation import TestFederation
from tests.flow.commands import Ran, in_process
from tests.flow.test_dialled_process import SECONDS, logged, serving
from tests.flow.two_federations import SHARED, Two, two_federations

ROWS = (
    "Tenancy Ref;Tenant;DOB;Address;Postcode;Do Not Disclose Address;NHS No;Officer Ref;Housing Officer;Officer Tel;"
    "Officer Mobile;Officer Email;Best Contact;Start Date;End Date;Status;Last Visit;Next Visit;Household With\n"
    "T1;{};17/05/1991;1 Orchard Way;ZM4 7QT;;;O1;Smith, Wendy;01632 960123;;;;01/02/2024;;CUR;;;\n"
)
SOURCES = """
[[source]]
name = "tenancies"
federations = ["northshire"]
mapping = "demo_housing"
options = { path = "north.csv" }
[[source]]
name = "tenancies"
federations = ["southshire"]
mapping = "demo_housing"
options = { path = "south.csv" }
[[source]]
name = "wide"
federations = ["northshire", "southshire"]
mapping = "demo_housing"
options = { path = "both.csv" }
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Two]:
    async with two_federations(tmp_path_factory.mktemp("two"), more=SOURCES, now=time.time()) as running:
        home = running.config.parent
        for name, person in (
            ("north", "Bramley, Katherine"),
            ("south", "Quillfeather, Zephyrine"),
            ("both", "Jones, Ann"),
        ):
            (home / f"{name}.csv").write_text(ROWS.format(person))
        yield running


async def ran(two: Two, *words: str) -> Ran:
    """A command about the shared node."""
    two.north.clock.time = two.south.clock.time = time.time()
    return await asyncio.to_thread(in_process, *words, "-c", str(two.config))


async def told(two: Two, *words: str) -> str:
    done = await ran(two, *words)
    assert done.code == 0, done.said
    return done.out


@pytest.mark.asyncio(loop_scope="module")
async def test_a_command_about_one_federation_wants_its_name_and_status_shows_all(two: Two) -> None:
    refused = await ran(two, "ledger", "verify")
    assert refused.code == 1
    assert "name one with --federation, of northshire, southshire" in refused.err
    for federation in ("northshire", "southshire"):
        await told(two, "ledger", "verify", "--federation", federation)
    assert "not in eastshire" in (await ran(two, "ledger", "verify", "--federation", "eastshire")).err
    status = await told(two, "node", "status")
    assert "housing in northshire" in status
    assert "housing in southshire" in status
    assert "community-trust" not in await told(two, "node", "status", "--federation", "northshire")


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_printed_of_one_federation_can_be_typed_as_it_stands(two: Two) -> None:
    config = str(two.config)
    said = await told(two, "node", "status")
    assert f"patchwork import --config {config} --federation southshire" in said
    refused = await ran(two, "node", "create-admin", "gerald@example.org", "--federation", "southshire")
    assert "no pages in southshire: " in refused.err
    assert "[federation.web] below the [[federation]]" in refused.err


@pytest.mark.asyncio(loop_scope="module")
async def test_a_source_goes_into_the_registers_that_it_feeds_and_no_other(two: Two) -> None:
    said = await told(two, "import")
    assert said.count("1 new") == 4
    names = {node.parts.me.federation: await node.database.read(_families()) for node in two.nodes}
    assert names == {"northshire": {"Bramley", "Jones"}, "southshire": {"Quillfeather", "Jones"}}
    assert (await told(two, "import", "wide", "--federation", "southshire")).count("unchanged") == 1
    # No file of one has a row of what feeds the other alone.
    for node, other in zip(two.nodes, ("Quillfeather", "Bramley"), strict=True):
        files = b"".join(path.read_bytes() for path in node.settings.node.data.iterdir())
        assert other.encode() not in files


@pytest.mark.asyncio(loop_scope="module")
async def test_an_objection_holds_in_one_federation_and_the_other_is_named(two: Two) -> None:
    await told(two, "import")
    before = [len(await _entries(two, at)) for at in range(2)]
    words = ("consent", "object", "--person", "tenancies:T1", "--by", "W", "--federation", "southshire")
    said = " ".join((await told(two, *words)).split())
    assert "It holds in southshire alone. For northshire this agency keeps a register and a record apart" in said
    assert [len(await _entries(two, at)) for at in range(2)] == [before[0], before[1] + 1]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_backup_is_of_one_federation_and_comes_back_into_its_own_folders(two: Two, tmp_path: Path) -> None:
    assert "name one with --federation" in (await ran(two, "node", "backup", str(tmp_path / "none"))).err
    for federation in ("northshire", "southshire"):
        await told(two, "node", "backup", str(tmp_path / federation), "--together", "--federation", federation)
        manifest = orjson.loads((tmp_path / federation / "records" / "manifest.json").read_bytes())
        assert manifest["federation"] == federation
    for at, federation in ((0, "southshire"), (1, "northshire")):
        keys = [path.read_bytes() for path in two.nodes[at].settings.node.keys.rglob("*.pem")]
        held = [path.read_bytes() for path in (tmp_path / federation).rglob("*") if path.is_file()]
        assert not [key for key in keys if any(key in each for each in held)]
    # On another machine, one after the other: the second finds the configuration that the first put there.
    config = tmp_path / "new" / "node.toml"
    text = two.config.read_text().replace(str(two.south.folder / SHARED), str(tmp_path / "new" / "south"))
    config.parent.mkdir()
    config.write_text(text.replace('"../operator', f'"{two.north.folder}/operator'))
    for federation in ("southshire", "northshire"):
        words = ("node", "restore", str(tmp_path / federation), "-c", str(config))
        done = await asyncio.to_thread(in_process, *words)
        assert "Put back: housing" in done.out, done.said
    for settings, node in zip(load_node(config).apart, two.nodes, strict=True):
        named = {"member": SHARED, "federation": settings.federation[0].id}
        assert load_identity(settings.node.keys, **named).signing_key.kid == node.parts.me.signing_key.kid
    shutil.rmtree(config.parent)


@pytest.mark.asyncio(loop_scope="module")
async def test_another_federation_is_added_to_a_node_with_keys_of_its_own(two: Two, tmp_path: Path) -> None:
    await rotate_ledger_key_last_week(two.north, "childrens-services")
    source = two.north.folder / "childrens-services"
    home = tmp_path / "agency"
    await asyncio.to_thread(shutil.copytree, source, home, ignore=shutil.ignore_patterns("*-shm"))
    shutil.copytree(two.north.folder / "operator", tmp_path / "operator")
    config, operator = home / "node.toml", str(two.south.folder / "operator" / "operator.jwk")
    config.write_text(f'{config.read_text()}[[source]]\nname = "cases"\nmapping = "demo_housing"\n')
    before = load_node(config)
    add = ("node", "add-federation", "southshire", "--hub", "https://hub.example.org", "--operator-key", operator)
    done = await asyncio.to_thread(in_process, *add, "--member", "council", "-c", str(config))
    assert done.code == 0, done.said

    north, south = load_node(config).apart
    assert north.node == before.node
    assert [each.name for each in north.source] == ["cases"]
    assert south.source == ()  # what was imported before feeds nobody new by itself
    assert south.node.member == "council"
    assert south.node.keys == home / "southshire" / "keys"
    named = {"member": "council", "federation": "southshire"}
    own = load_identity(south.node.keys, **named)
    first = load_identity(north.node.keys, member="childrens-services", federation="northshire")
    assert not own.signing_keys.kids & first.signing_keys.kids
    request = verify_join(
        (home / "southshire" / "join-request.jws").read_text(), federation="southshire", now=time.time()
    )
    assert request.member.id == "council"
    assert request.member.name == "Childrens Services"
    assert request.member.ledger_until == pytest.approx(time.time() + KEY_YEARS_S, abs=60)  # of the key made here
    assert request.member.ledger_before == ()
    again = await asyncio.to_thread(in_process, *add, "-c", str(config))
    assert "southshire is there twice" in again.err


@pytest.mark.asyncio(loop_scope="module")
async def test_next_keys_are_of_one_federation_and_its_operator_alone_lists_them(two: Two) -> None:
    for command, name in (("rotate-key", "rotation-request.jws"), ("rotate-ledger-key", "ledger-rotation-request.jws")):
        said = await told(two, "node", command, "--federation", "southshire")
        file = two.config.parent / f"southshire-{name}"
        assert f"Send {file} to the operator" in said
        asked = two.south.operator.read_update(file.read_text(), time.time()).member
        next_key = asked.keys[-1].key.jwk() if command == "rotate-key" else asked.ledger_key
        assert fingerprint(next_key) in said
        with pytest.raises(NotForUs):
            two.north.operator.read_update(file.read_text(), time.time())


async def rotate_ledger_key_last_week(north: TestFederation, member: str) -> None:
    """So that the member list says when it ends, and which key it followed."""
    me, listed = north.nodes[member].parts.me, north.operator.document.members[member]
    new, now = me.ledger_keys.begin(), north.clock.now()
    token = ledger_rotation_request(
        listed, new, me.ledger_key, signing=me.signing_key, federation="northshire", now=now - 7 * DAY_S
    )
    await north.publish(lambda operator: operator.update(token, now))
    await north.refresh(member)


def _families() -> Work[set[str]]:
    names = [names for (names,) in (yield Statement("SELECT names FROM person"))]
    return {each for each in ("Bramley", "Jones", "Quillfeather") if any(each in name for name in names)}


async def _entries(two: Two, at: int) -> list[object]:
    return [entry async for entry in two.nodes[at].parts.ledger.entries()]


def test_one_process_serves_all_and_stops_in_all(tmp_path: Path) -> None:
    key = tmp_path / "operator.jwk"
    key.write_bytes(orjson.dumps(SigningKey.generate().verify_key().jwk()))
    table = '[[federation]]\nid = "{}"\n{}operator_key = "operator.jwk"\nhubs = ["http://127.0.0.1:9"]\n'
    for folder in ("keys", "south/keys"):
        make_keys(tmp_path / folder, time.time())
    (tmp_path / "node.toml").write_text(
        '[node]\nmember = "housing"\nlisten = "127.0.0.1:0"\n'
        + table.format("northshire", "")
        + table.format("southshire", 'folder = "south"\nmember = "shire-housing"\n')
    )
    with serving(tmp_path, "node", "serve", "--config", "node.toml") as (process, log):
        north = logged(log, "node.started", federation="northshire", member="housing")
        south = logged(log, "node.started", federation="southshire", member="shire-housing")
        assert north["port"] == south["port"]
        for federation in ("northshire", "southshire"):
            logged(log, "federation.refused", federation=federation)  # neither hub is there
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
        for federation in ("northshire", "southshire"):
            logged(log, "node.stopped", federation=federation)
    assert {path.name for path in (tmp_path / "data").glob("*.db")} == {
        path.name for path in (tmp_path / "south" / "data").glob("*.db")
    }
