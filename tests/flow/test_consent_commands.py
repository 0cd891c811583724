"""`patchwork consent ...`: what is on record afterwards is what was said, and what cannot be meant is refused."""

import asyncio
import re
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind, Provision, Relation
from consent_ledger.read import consents_of
from gateway.app.node import Node, open_node
from gateway.cli import main
from gateway.clock import SystemClock
from gateway.node.people import person_by_key
from gateway.settings import load_node
from mappings.value_sets import shared
from mappings.vocabulary import Mode, OrganisationType, Purpose
from tests.flow.commands import done, one_agency, patchwork, refused

REPRESENTATIVES = [relation for relation in Relation if relation is not Relation.PERSON]
TENANCIES = (
    "Tenancy Ref;Tenant;DOB;Address;Postcode;Do Not Disclose Address;NHS No;Officer Ref;Housing Officer;Officer Tel;"
    "Officer Mobile;Officer Email;Best Contact;Start Date;End Date;Status;Last Visit;Next Visit;Household With\n"
    "T1;Quillfeather, Kit;17/05/1991;1 Orchard Way;ZM4 7QT;;;O1;Smith, Wendy;01632 960123;;;;01/02/2024;;CUR;;;\n"
)

Say = Callable[..., str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agency with one client, made once."""
    folder = tmp_path_factory.mktemp("agency")
    with one_agency(folder).open("a") as config:
        config.write('[[source]]\nname = "csv"\nmapping = "demo_housing"\noptions = { path = "tenancies.csv" }\n')
    (folder / "node" / "tenancies.csv").write_text(TENANCIES)
    done(folder, "import", "-c", "node/node.toml", "csv")
    return folder


@pytest.fixture
def config(made: Path, tmp_path: Path) -> Path:
    """Its configuration, in a copy for one test."""
    shutil.copytree(made, tmp_path / "agency")
    return tmp_path / "agency" / "node" / "node.toml"


@pytest.fixture
def say(config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """`patchwork consent WORD` about the client; what it prints, on standard error if it fails."""

    def consent(word: str, *options: str) -> str:
        client = ("--person", "csv:T1", "--by", "Wendy Smith")
        monkeypatch.setattr(sys, "argv", ["patchwork", "consent", word, "-c", str(config), *client, *options])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert bool(ended.value.code) is bool(said.err)
        return said.err or said.out

    return consent


@asynccontextmanager
async def opened(config: Path) -> AsyncIterator[Node]:
    node = await open_node(load_node(config), clock=SystemClock())
    try:
        yield node
    finally:
        await node.close()


def on_record(config: Path) -> tuple[ConsentEntry, ...]:
    """The client's entries."""

    async def read() -> tuple[ConsentEntry, ...]:
        async with opened(config) as node:
            person_id = await node.database.read(person_by_key("csv", "T1"))
            assert person_id is not None
            return (await node.database.read(consents_of([person_id])))[0]

    return asyncio.run(read())


@pytest.mark.parametrize("relation", REPRESENTATIVES)
def test_a_representative_consents_objects_and_withdraws_under_a_reference(
    say: Say, config: Path, relation: Relation
) -> None:
    giver = ("--relation", relation.value, "--giver-reference", "contact-17")
    said = [say("record", "--mode", "practitioner", *giver), say("object", *giver), say("withdraw", *giver)]
    assert [line.split(".")[0] for line in said] == [f"Recorded as entry {seq}" for seq in range(3)]
    entries = on_record(config)
    assert [entry.kind for entry in entries] == [ConsentKind.CONSENT, ConsentKind.OBJECTION, ConsentKind.WITHDRAWAL]
    assert {(entry.giver.relation, entry.giver.reference) for entry in entries} == {(relation, "contact-17")}


@pytest.mark.parametrize("relation", REPRESENTATIVES)
@pytest.mark.parametrize("word", [("record", "--mode", "schedule"), ("object",), ("withdraw",)], ids=lambda w: w[0])
def test_a_representative_without_a_reference_is_asked_for_one(
    say: Say, config: Path, relation: Relation, word: tuple[str, ...]
) -> None:
    assert say(*word, "--relation", relation.value).startswith(
        f"patchwork: say with --giver-reference which {relation}"
    )
    assert on_record(config) == ()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["object", "--giver-reference", "contact-17"], "--giver-reference is for a parent, guardian or attorney"),
        (["record", "--mode", "none"], "mode is one of duty-contact, practitioner, schedule"),
        (["record", "--mode", "everything"], "mode is one of duty-contact, practitioner, schedule"),
        (["record", "--mode", "schedule", "--until", "2027-02-30"], "a day is YYYY-MM-DD"),
        (["record", "--mode", "schedule", "--until", "2020-01-01"], "--until: that day is over"),
        (["object", "--until", "2020-01-01"], "--until: that day is over"),
        (["object", "--mode", "none"], "mode is one of callback, duty-contact, practitioner, schedule"),
        (["withdraw", "--purpose", "gossip"], "purpose is one of coordination, treatment"),
        (["object", "--to", "housing", "--to", "hosing-typo"], "--to: number 1 is not a member's id or one of"),
        (["object", "--to", "police-force", "--to", "hosing-typo"], "--to: number 2 is not a member's id or one of"),
        (["object", "--but", "hosing-typo"], "--but: number 1 is not a member's id or one of local-authority,"),
        (["object", "--service", "camhs"], "--service: number 1 is not one of the MAIS service codes"),
        (["object", *("--to", "police-force") * 201], "an option is given at most 200 times"),
        (["object", "--how", "by\x1b[2Jletter"], "--how: at most 200 characters that can be printed"),
        (["object", "--how", "x" * 201], "--how: at most 200 characters that can be printed"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_not_on_record(say: Say, config: Path, words: list[str], says: str) -> None:
    line = say(*words)
    assert line.startswith(f"patchwork: {says}"), line
    assert "typo" not in line
    assert on_record(config) == ()


def test_kinds_of_agency_and_services_are_recorded_as_they_are_coded(say: Say, config: Path) -> None:
    kinds = [word for kind in OrganisationType for word in ("--to", kind.value)]
    mais = shared("service")
    assert mais is not None
    codes = tuple(mais.codes.values())
    say("record", "--mode", "duty-contact", *kinds, *(word for code in codes for word in ("--service", code)))
    (entry,) = on_record(config)
    (line,) = entry.provisions
    assert line.mode is Mode.DUTY_CONTACT
    assert line.recipients == tuple(kind.value for kind in OrganisationType)
    assert line.services == codes


def test_a_refusal_has_a_mode_a_last_day_and_the_words_of_a_search(say: Say, config: Path) -> None:
    say("object", "--mode", "schedule", "--purpose", "safeguarding", "--purpose", "COC", "--until", "2999-12-31")
    say("withdraw", "--mode", "practitioner", "--to", "police-force")
    objection, withdrawal = on_record(config)
    assert objection.until == date(2999, 12, 31)
    assert objection.provisions == (
        Provision(permit=False, mode=Mode.SCHEDULE, purposes=(Purpose.SAFEGUARDING, Purpose.COORDINATION)),
    )
    assert withdrawal.provisions == (Provision(permit=False, mode=Mode.PRACTITIONER, recipients=("police-force",)),)


def test_a_day_that_is_today_is_not_over(say: Say, config: Path) -> None:
    today = datetime.now(UTC).astimezone().date()
    say("record", "--mode", "schedule", "--until", today.isoformat())
    assert on_record(config)[0].until == today


def test_a_client_whose_record_was_removed_from_its_source_still_objects(say: Say, config: Path) -> None:
    tenancies = config.parent / "tenancies.csv"
    header, tenancy = TENANCIES.splitlines(keepends=True)
    tenancies.write_text(header + tenancy.replace("T1", "T2").replace("Quillfeather", "Damson"))
    done(config.parent, "import", "-c", "node.toml", "csv", "--allow-removals")
    assert say("object").startswith("Recorded as entry 0")
    tenancies.write_text(TENANCIES)
    done(config.parent, "import", "-c", "node.toml", "csv", "--allow-removals")
    assert [entry.kind for entry in on_record(config)] == [ConsentKind.OBJECTION]


def test_a_record_that_was_tampered_with_is_found_out_by_its_entry(say: Say, config: Path) -> None:
    for word in (("object",), ("withdraw",), ("record", "--mode", "schedule")):
        say(*word)
    before = patchwork(config.parent, "ledger", "verify", "-c", "node.toml")
    assert re.match(r"3 entries, all as they were written\. Root: [0-9a-f]{64}\n", before.out)
    assert before.code == 1  # for nobody says how far it had come: its hub is not there
    assert "NOT COMPARED, so entries may be missing at its end: " in before.err
    with closing(sqlite3.connect(config.parent / "data" / "ledger.db")) as database, database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (trigger,) in triggers:  # they stop mistakes, and nobody who can write the file
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("UPDATE entry SET leaf = CAST(leaf || x'00' AS BLOB) WHERE seq = 1")
    assert refused(config.parent, "ledger", "verify", "-c", "node.toml") == "ledger: entry 1 does not have its hash"
    with closing(sqlite3.connect(config.parent / "data" / "ledger.db")) as database, database:
        database.execute("DELETE FROM entry WHERE seq = 1")
    assert refused(config.parent, "ledger", "verify", "-c", "node.toml") == "ledger: entry 1 is missing"
