"""The life of a membership by the commands of docs/running-a-hub.md and docs/running-a-node.md, in real folders."""

import json
import re
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from gateway import __version__
from gateway.cli import application
from gateway.demo.servers import Servers, free_ports
from gateway.settings import check_node
from gateway.wire import base64url
from gateway.wire.paths import READY_PATH
from tests.flow.commands import ROOT, done, patchwork, refused

TENANCIES = (
    "Tenancy Ref;Tenant;DOB;Address;Postcode;Do Not Disclose Address;NHS No;Officer Ref;Housing Officer;Officer Tel;"
    "Officer Mobile;Officer Email;Best Contact;Start Date;End Date;Status;Last Visit;Next Visit;Household With\n"
    "T1;Bramley, Kit;17/05/1991;1 Orchard Way;ZM4 7QT;;9990000018;O1;Smith, Wendy;01632 960123;;;;01/02/2024;;CUR;;;\n"
    "T2;Damson, Alex;03/04/1985;2 Orchard Way;ZM4 7QT;;;O1;Smith, Wendy;01632 960123;;;;01/02/2024;;CUR;;;\n"
)
FINGERPRINT = re.compile(r"(?:[0-9a-f]{4} ){15}[0-9a-f]{4}")


@dataclass
class Walk:
    """A hub, an operator and two agencies, each in its own folder below one."""

    folder: Path
    ports: dict[str, int]
    servers: Servers
    printed: list[str] = field(default_factory=list)

    def run(self, *arguments: str, typed: str = "") -> str:
        """A command that must succeed."""
        self.printed.append(done(self.folder, *arguments, typed=typed))
        return self.printed[-1]

    def refused(self, *arguments: str, typed: str = "", later: bool = False) -> str:
        """A command that must fail with one clear line."""
        return refused(self.folder, *arguments, typed=typed, later=later)

    def publish(self) -> None:
        """What the operator does by hand: copy the document to the hub, which soon reads it."""
        document = self.folder / "operator" / "federation.jws"
        seq = json.loads(base64url.decode(document.read_bytes().split(b".")[1]))["seq"]
        shutil.copy(document, self.folder / "hub" / "federation.jws")
        deadline = time.monotonic() + 20
        while self._read_by_hub() != seq:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _read_by_hub(self) -> int:
        with urlopen(f"http://127.0.0.1:{self.ports['hub']}{READY_PATH}") as response:
            seq: int = json.loads(response.read())["seq"]
            return seq

    def ask(self, name: str, born: str) -> dict[str, dict[str, object]]:
        """What each member answered to the council, by its id."""
        told = self.run("search", "-c", "council/node.toml", name, "--born", born, "--json")
        return {member["member"]: member for member in json.loads(told)["members"]}


def node_init(folder: str, member: str, name: str, kind: str, ports: dict[str, int]) -> list[str]:
    """The command of docs/running-a-node.md."""
    return [
        *("node", "init", folder, "--member", member, "--name", name, "--type", kind, "--federation", "orchard"),
        *("--hub", f"http://127.0.0.1:{ports['hub']}", "--operator-key", "operator/operator.jwk"),
        *("--endpoint", f"http://127.0.0.1:{ports[folder]}", "--duty-phone", "01632 960100"),
    ]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """Two agencies that have joined, step by step as the documents say, and are served with their hub."""
    folder = tmp_path_factory.mktemp("walk")
    ports = free_ports({"hub": 0, "council": 0, "housing": 0})
    with Servers(folder) as servers:
        walk = Walk(folder=folder, ports=ports, servers=servers)
        walk.run("hub", "init", "hub")
        walk.run("federation", "init", "orchard", "--hub-key", "hub/hub.jwk")
        read_out = {}
        for agency, member, name, kind in (
            ("council", "childrens-services", "County Council", "local-authority"),
            ("housing", "housing", "Orchard Homes", "housing-provider"),
        ):
            told = walk.run(*node_init(agency, member, name, kind, ports))
            read_out[agency] = FINGERPRINT.findall(told)[0]
        for agency in ("council", "housing"):
            told = walk.run("federation", "admit", f"{agency}/join-request.jws", typed="y\n")
            assert read_out[agency] in told  # what the officer reads out is what the operator sees
        shutil.copy(ROOT / "config" / "demo" / "agreement.toml", folder / "agreement.toml")
        for agency in ("council", "housing"):
            told = walk.run("agreement", "sign", "-c", f"{agency}/node.toml", "agreement.toml", typed="y\n")
            assert 'agreements = ["../agreement.toml"]' in told  # as the configuration file reads it
        signatures = ["agreement.childrens-services.jws", "agreement.housing.jws"]
        told = walk.run("federation", "agreement", "agreement.toml", *signatures)
        assert "signed by childrens-services, housing" in told
        for agency in ("hub", "council", "housing"):
            configure(folder, agency, ports[agency])
        (folder / "housing" / "tenancies.csv").write_text(TENANCIES)
        shutil.copy(folder / "operator" / "operator.jwk", folder / "hub" / "operator.jwk")
        shutil.copy(folder / "operator" / "federation.jws", folder / "hub" / "federation.jws")
        servers.start("hub", "hub", "serve", "-c", str(folder / "hub" / "hub.toml"))
        servers.wait({"hub": ports["hub"]})
        refusal = walk.refused("search", "-c", "council/node.toml", "Kit Bramley")
        assert refusal.startswith("nobody can be asked before this agency accepts housing: ")
        assert "`patchwork node accept --config council/node.toml`" in refusal
        walk.run("node", "accept", "-c", "council/node.toml", "housing", typed="y\n")
        walk.run("node", "accept", "-c", "housing/node.toml", "childrens-services", typed="y\n")
        walk.run("import", "-c", "housing/node.toml")
        for agency in ("council", "housing"):
            servers.start(agency, "node", "serve", "-c", str(folder / agency / "node.toml"))
        servers.wait(ports)
        yield walk


def configure(folder: Path, agency: str, port: int) -> None:
    """What an administrator edits: the port, the agreement, the source."""
    file = folder / agency / ("hub.toml" if agency == "hub" else "node.toml")
    text = re.sub(r'listen = ".*"', f'listen = "127.0.0.1:{port}"', file.read_text())
    text = text.replace("agreements = []", 'agreements = ["../agreement.toml"]')
    if agency == "housing":
        text += '\n[[source]]\nname = "tenancies"\nmapping = "demo_housing"\noptions = { path = "tenancies.csv" }\n'
    file.write_text(text)


def test_an_agency_finds_another_agencys_professional(walk: Walk) -> None:
    told = walk.run("search", "-c", "council/node.toml", "Kit Bramley", "--born", "1991-05-17")
    assert "Wendy Smith" in told
    assert "01632 960123" in told
    assert "1 of 1 agencies answered" in told
    assert told.endswith("\n")


def test_a_script_reads_until_when_an_answer_may_be_shown(walk: Walk) -> None:
    until = walk.ask("Kit Bramley", "1991-05-17")["housing"]["display_until"]
    assert isinstance(until, str)
    assert 0 < datetime.fromisoformat(until).timestamp() - time.time() <= 24 * 3600


def test_keys_are_private_and_are_never_printed(walk: Walk) -> None:
    for path in (walk.folder / "hub", walk.folder / "operator", walk.folder / "council", walk.folder / "housing"):
        for found in (path, *path.rglob("*")):
            if found.name == "tenancies.csv" or found.suffix in {".jsonl", ".toml"}:
                continue  # not written by these commands, or edited since
            assert stat.S_IMODE(found.stat().st_mode) == (0o700 if found.is_dir() else 0o600), found
    secrets = [path.read_text() for path in walk.folder.rglob("*.pem")]
    assert len(secrets) == 7  # of the hub to sign and to cosign, of the operator, and two signing and two ledger keys
    logs = [path.read_text() for path in walk.folder.rglob("log.jsonl")]
    for secret in secrets:
        body = secret.splitlines()[1]
        assert not any(body in text for text in (*walk.printed, *logs))


@pytest.mark.parametrize(
    ("again", "file"),
    [
        (("hub", "init", "hub"), "hub/hub.toml"),
        (("federation", "init", "orchard", "--hub-key", "hub/hub.jwk"), "operator/federation.jws"),
    ],
)
def test_setting_up_again_overwrites_nothing(walk: Walk, again: tuple[str, ...], file: str) -> None:
    before = {path: path.read_bytes() for path in walk.folder.rglob("*.pem")} | {
        walk.folder / file: (walk.folder / file).read_bytes()
    }
    assert walk.refused(*again) == f"{file}: is there already and is not overwritten"
    assert {path: path.read_bytes() for path in before} == before


def test_a_node_that_is_there_is_not_made_again(walk: Walk) -> None:
    before = (walk.folder / "council" / "keys" / "signing.pem").read_bytes()
    again = node_init("council", "childrens-services", "County Council", "local-authority", walk.ports)
    assert walk.refused(*again) == "council/node.toml: is there already and is not overwritten"
    assert (walk.folder / "council" / "keys" / "signing.pem").read_bytes() == before


def test_a_new_node_s_configuration_shows_how_pages_are_set_up(walk: Walk) -> None:
    text = (walk.folder / "council" / "node.toml").read_text()
    _, mark, rest = text.partition("# [web]\n")
    table = "".join(line.removeprefix("# ") for line in rest.partition("\n\n")[0].splitlines(keepends=True))
    settings = check_node(f"{text}\n[web]\n{table}\n", walk.folder / "council" / "node.toml")
    assert (mark != "", settings.web is not None) == (True, True)


def test_a_set_up_that_broke_off_goes_on_with_the_keys_that_it_had_made(walk: Walk, tmp_path: Path) -> None:
    shutil.copytree(walk.folder / "operator", tmp_path / "operator")
    init = node_init("council", "police", "County Police", "police-force", walk.ports)
    first = FINGERPRINT.findall(done(tmp_path, *init))
    (tmp_path / "council" / "node.toml").unlink()  # as if it had stopped just before
    (tmp_path / "council" / "keys" / "ledger.pem").unlink()
    assert FINGERPRINT.findall(done(tmp_path, *init)) == first
    assert (tmp_path / "council" / "keys" / "ledger.pem").exists()
    done(tmp_path, "hub", "init", "hub2")
    (tmp_path / "hub2" / "hub.toml").unlink()
    assert "is ready" in done(tmp_path, "hub", "init", "hub2")


def test_what_cannot_be_a_node_leaves_nothing_behind(walk: Walk, tmp_path: Path) -> None:
    shutil.copytree(walk.folder / "operator", tmp_path / "operator")
    init = node_init("council", "police", "County Police", "police-force", walk.ports)
    init[init.index("--hub") + 1] = "http://hub.example.org"
    assert "must be https" in refused(tmp_path, *init)
    assert not (tmp_path / "council").exists()


def test_saying_no_to_a_fingerprint_admits_nobody(walk: Walk, tmp_path: Path) -> None:
    shutil.copytree(walk.folder / "operator", tmp_path / "operator")
    done(tmp_path, *node_init("council", "police", "County Police", "police-force", walk.ports))
    before = (tmp_path / "operator" / "federation.jws").read_bytes()
    assert patchwork(tmp_path, "federation", "admit", "council/join-request.jws", typed="n\n").code == 1
    assert (tmp_path / "operator" / "federation.jws").read_bytes() == before


def test_nobody_at_the_keyboard_is_not_a_yes_and_the_way_to_say_it_is_named(walk: Walk) -> None:
    said = walk.refused("agreement", "sign", "-c", "housing/node.toml", "agreement.toml", "--output", "unsigned.jws")
    assert said == "nobody is there to answer: once you have checked, run it with --yes"
    assert not (walk.folder / "unsigned.jws").exists()


def test_an_import_without_a_source_says_where_to_name_one(walk: Walk) -> None:
    assert walk.refused("import", "-c", "council/node.toml") == (
        "no source is configured: add a [[source]] to council/node.toml"
    )


def test_an_import_that_holds_removals_back_says_so_first(walk: Walk) -> None:
    export = walk.folder / "housing" / "tenancies.csv"
    whole = export.read_text()
    export.write_text(whole.splitlines(keepends=True)[0])
    try:
        ran = CliRunner().invoke(application(), ["import", "-c", str(walk.folder / "housing" / "node.toml")])
    finally:
        export.write_text(whole)
    assert ran.exit_code == 1
    said = [line for line in ran.output.splitlines() if "tenancies" in line and "removed" in line]
    assert ["--allow-removals" in line for line in said] == [True, False]
    assert "lead nowhere" not in ran.output
    assert " 2 unchanged, 0 removed" in walk.run("import", "-c", "housing/node.toml")


def test_the_version_is_told_in_the_usual_way(walk: Walk) -> None:
    assert walk.run("--version") == walk.run("version") == f"{__version__}\n"


def test_a_member_is_admitted_once(walk: Walk) -> None:
    said = walk.refused("federation", "admit", "council/join-request.jws", "--yes")
    assert said == "childrens-services is a member already; ids are never used again"


def test_the_operator_carries_no_signature_of_another_text(walk: Walk, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_bytes((walk.folder / "agreement.toml").read_bytes() + b"\n")
    said = walk.refused("federation", "agreement", str(other), "agreement.housing.jws")
    assert said.startswith("agreement.housing.jws: no signature of exactly this text")


def test_the_status_says_who_is_in_and_what_was_imported(walk: Walk) -> None:
    told = walk.run("node", "status", "-c", "housing/node.toml")
    assert "County Council (childrens-services): accepted" in told
    assert "Orchard Homes (housing): this node\n" in told
    assert "signed by childrens-services, housing" in told
    assert "Source tenancies: last import completed" in told
    assert "only if it is at least 99 % sure who is meant" in told
    assert "A date of birth is not needed. Of those who are asked about, 50 % are taken to be its clients" in told


def test_an_objection_is_heard_at_once_and_a_consent_after_it(walk: Walk) -> None:
    tenant = ("-c", "housing/node.toml", "--person", "tenancies:T2", "--by", "Wendy Smith")
    assert walk.ask("Alex Damson", "1985-04-03")["housing"]["outcome"] == "teams"
    walk.run("consent", "object", *tenant)
    assert walk.ask("Alex Damson", "1985-04-03")["housing"]["outcome"] == "nothing-to-disclose"
    walk.run("consent", "record", *tenant, "--mode", "schedule")
    assert walk.ask("Alex Damson", "1985-04-03")["housing"]["outcome"] == "teams"
    walk.run("consent", "object", *tenant, "--to", "childrens-services")
    assert walk.ask("Alex Damson", "1985-04-03")["housing"]["outcome"] == "nothing-to-disclose"
    unknown = walk.refused("consent", "withdraw", *tenant[:2], "--person", "tenancies:T9", *tenant[4:])
    assert "never had a client with this number" in unknown


def test_a_suspended_member_is_not_asked_and_cannot_ask_until_it_is_resumed(walk: Walk) -> None:
    assert "copy it to the hub" in walk.run("federation", "suspend", "housing")
    walk.publish()
    ran = patchwork(walk.folder, "search", "-c", "council/node.toml", "Kit Bramley")
    assert (ran.code, ran.out) == (1, "")  # nothing that looks like the beginning of a result
    assert "no agreement in force lets this agency ask anybody for coordination" in ran.err
    assert "see `patchwork node status --config council/node.toml`" in ran.err
    assert "suspended" in walk.refused("search", "-c", "housing/node.toml", "Kit Bramley", "--as", "me")
    assert "Orchard Homes (housing): suspended" in walk.run("node", "status", "-c", "council/node.toml")
    walk.run("federation", "resume", "housing")  # its sealing key is published anew at its next refresh
    walk.publish()
    walk.run("node", "status", "-c", "housing/node.toml")
    assert walk.ask("Kit Bramley", "1991-05-17")["housing"]["outcome"] == "teams"


def test_renewing_makes_the_next_document(walk: Walk) -> None:
    before = int(re.findall(r"document (\d+),", walk.run("federation", "show"))[0])
    assert f"Document {before + 1} of orchard" in walk.run("federation", "renew")


def test_a_document_that_has_expired_is_of_no_use_to_anybody_but_the_operator(walk: Walk) -> None:
    assert "expired" in walk.refused("search", "-c", "council/node.toml", "Kit Bramley", later=True)
    shown = patchwork(walk.folder, "federation", "show", later=True)
    assert "EXPIRED: renew it" in shown.out


def test_an_agency_that_nobody_has_admitted_is_told_so(walk: Walk) -> None:
    done(walk.folder, *node_init("police", "police", "County Police", "police-force", walk.ports | {"police": 9}))
    said = walk.refused("search", "-c", "police/node.toml", "Kit Bramley")
    assert said == "police is not a member of orchard yet: its operator has to admit it"


def test_a_stolen_key_is_replaced_and_the_new_one_waits_for_each_officer(walk: Walk) -> None:
    shown = walk.run("federation", "show")
    kid = re.findall(r"\(housing\).*\n.*\n  key (\S+),", shown)[0]
    assert "has no key" in walk.refused("federation", "revoke", "childrens-services", kid)
    assert "has no key" in walk.refused("federation", "revoke", "housing", "-AbC_dE")  # an id, and no option
    assert "has no other key: suspend it" in walk.refused("federation", "revoke", "housing", kid)
    again = node_init("housing2", "housing", "Orchard Homes", "housing-provider", walk.ports | {"housing2": 9})
    fingerprint = FINGERPRINT.findall(walk.run(*again))[0]
    assert fingerprint in walk.run("federation", "update", "housing2/join-request.jws", typed="y\n")
    walk.publish()
    assert "refused (401)" in walk.refused("search", "-c", "housing/node.toml", "Kit Bramley", "--as", "me")
    waiting = walk.run("node", "accept", "-c", "council/node.toml")
    assert "signing-key: Orchard Homes (housing)" in waiting
    assert fingerprint in waiting
