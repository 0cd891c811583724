"""A node without a port as people set it up: a code, a telephone call, and `patchwork node serve`; all in processes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.demo.servers import free_ports
from tests.flow.commands import ROOT, done, in_process

SECONDS = 40
PEOPLE = ROOT / "tests" / "golden" / "mappings" / "demo_food_bank" / "input.csv"
FINGERPRINT = re.compile(r"(?:[0-9a-f]{4} ){15}[0-9a-f]{4}")


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """A process of the product, and the file of its log."""
    log = folder / f"{arguments[0]}.log"
    with log.open("wb") as written:
        process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "gateway.cli", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=written,
        )
        try:
            yield process, log
        finally:
            process.kill()
            process.wait()


def logged(log: Path, event: str, **fields: Any) -> dict[str, Any]:
    """Wait for an event with these fields."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for line in log.read_text().splitlines():
            found: dict[str, Any] = json.loads(line)
            if found["event"] == event and fields.items() <= found.items():
                return found
        time.sleep(0.05)
    raise AssertionError(f"{event} {fields} not in:\n{log.read_text()}")


class Orchard:
    """A hub's, an operator's and two agencies' folders below one, and what is typed there."""

    def __init__(self, folder: Path) -> None:
        port = free_ports({"hub": 0})["hub"]
        self.folder = folder
        self.hub = f"http://127.0.0.1:{port}"
        self.operator = ("--folder", str(folder / "operator"))
        self.council, self.bank = folder / "council", folder / "food-bank"
        self.ran("hub", "init", str(folder / "hub"))
        self.ran("federation", "init", "orchard", "--hub-key", str(folder / "hub/hub.jwk"), *self.operator)
        settings = folder / "hub" / "hub.toml"
        settings.write_text(settings.read_text().replace("127.0.0.1:8400", f"127.0.0.1:{port}"))
        (folder / "hub" / "operator.jwk").write_bytes((folder / "operator" / "operator.jwk").read_bytes())
        self.publish()

    def ran(self, *arguments: str) -> str:
        """What a command printed that must succeed."""
        ended = in_process(*arguments)
        assert ended.code == 0, (arguments, ended)
        return ended.out

    def at(self, agency: Path) -> tuple[str, str]:
        return "--config", str(agency / "node.toml")

    def publish(self) -> None:
        """Copy the document to the hub, whole at once."""
        beside = self.folder / "hub" / "new.jws"
        beside.write_bytes((self.folder / "operator" / "federation.jws").read_bytes())
        beside.rename(self.folder / "hub" / "federation.jws")


def test_a_voluntary_organisation_joins_by_a_code_and_is_asked_through_its_link(tmp_path: Path) -> None:
    """Every command that anybody types, from an empty folder to an answer."""
    orchard = Orchard(tmp_path)
    with serving(tmp_path, "hub", "serve", "--config", "hub/hub.toml") as (hub, hub_log):
        logged(hub_log, "hub.started")
        _council_is_admitted(orchard)
        theirs = _food_bank_is_set_up(orchard)
        logged(hub_log, "federation.refreshed", seq=2)
        orchard.ran("node", "accept", *orchard.at(orchard.bank), "childrens-services", "--yes")
        with serving(tmp_path, "node", "serve", "--config", "food-bank/node.toml") as (node, node_log):
            waiting = logged(node_log, "node.waiting")
            assert theirs in waiting["reason"]
            assert orchard.hub in waiting["reason"]
            _food_bank_is_admitted(orchard, theirs)
            logged(node_log, "node.admitted")  # by itself
            logged(node_log, "hub_link.opened")
            logged(hub_log, "link.opened", member="food-bank")
            _pages_are_there(orchard)
            orchard.ran("node", "accept", *orchard.at(orchard.council), "food-bank", "--yes")
            logged(node_log, "witness.cosigned")  # before that nothing is disclosed
            asked = ("Jonty Witlock", "--born", "2014-03-09", "--postcode", "ZZ99 3AZ", "--json")
            (answer,) = json.loads(orchard.ran("search", *orchard.at(orchard.council), *asked))["members"]
            assert (answer["member"], answer["outcome"]) == ("food-bank", "teams")
            _doctor_sees_the_link(orchard)
            node.send_signal(signal.SIGTERM)
            assert node.wait(SECONDS) == 0
            assert "this node does not run" in in_process("doctor", *orchard.at(orchard.bank)).out
            assert node_log.read_text().count('"node.waiting"') == 1
            logged(hub_log, "link.closed", member="food-bank")
        hub.send_signal(signal.SIGTERM)
        assert hub.wait(SECONDS) == 0


def _council_is_admitted(orchard: Orchard) -> None:
    code = orchard.ran("federation", "invite", "--type", "local-authority", "--hub", orchard.hub, *orchard.operator)
    assert code.count("\n") == 1
    told = orchard.ran("node", "init", "--join", code, "--name", "Childrens Services", str(orchard.council))
    assert f"patchwork node serve --config {orchard.council / 'node.toml'}" in told
    ours, of_operator = FINGERPRINT.findall(told)
    assert of_operator in orchard.ran("federation", "show", *orchard.operator)
    orchard.ran("federation", "admit", ours, *orchard.operator, "--yes")
    orchard.publish()


def _food_bank_is_set_up(orchard: Orchard) -> str:
    """Both agencies sign and accept the agreement; the fingerprint that the food bank will read out."""
    code = orchard.ran("federation", "invite", "--name", "the food bank", *orchard.operator).strip()
    told = done(orchard.folder, "node", "init", "--join", code, "--name", "Food Bank")
    assert "patchwork node serve --config food-bank/node.toml" in told
    assert not (orchard.bank / "hub-ca.pem").exists()
    agreement = orchard.folder / "agreement.toml"
    agreement.write_bytes((ROOT / "config" / "demo" / "agreement.toml").read_bytes())
    for agency in (orchard.council, orchard.bank):
        signed = ("--output", str(agency / "signature.jws"), "--yes")
        orchard.ran("agreement", "sign", *orchard.at(agency), str(agreement), *signed)
        text = (agency / "node.toml").read_text()
        (agency / "node.toml").write_text(text.replace("agreements = []", 'agreements = ["../agreement.toml"]'))
    (orchard.bank / "people.csv").write_bytes(PEOPLE.read_bytes())
    with (orchard.bank / "node.toml").open("a") as added:
        added.write('[[source]]\nname = "people"\nmapping = "demo_food_bank"\noptions = { path = "people.csv" }\n')
    orchard.ran("import", *orchard.at(orchard.bank))
    return str(FINGERPRINT.findall(told)[0])


def _pages_are_there(orchard: Orchard) -> None:
    """Nobody has configured them; the link that makes the first account leads to them."""
    made = orchard.ran(
        "node", "create-admin", *orchard.at(orchard.bank), "vera@example.org", "--name", "Vera Volunteer"
    )
    (link,) = re.findall(r"http://127\.0\.0\.1:\d+/\S+", made)
    with urllib.request.urlopen(link) as page:  # noqa: S310 - of this machine
        assert "Choose your password" in page.read().decode()


def _doctor_sees_the_link(orchard: Orchard) -> None:
    """By what the running node says of itself, and of which configuration it goes by."""
    end = time.monotonic() + SECONDS
    while "WRONG" in (said := in_process("doctor", *orchard.at(orchard.bank)).out) and time.monotonic() < end:
        time.sleep(0.2)  # what the node said of itself before it disclosed something a moment ago
    assert f"link: open to {orchard.hub}" in said
    assert "agreements: in force with childrens-services" in said
    assert "WRONG" not in said
    settings = orchard.bank / "node.toml"
    text = settings.read_text()
    settings.write_text(f"# a remark\n{text}")
    assert "has been changed" not in in_process("doctor", *orchard.at(orchard.bank)).out
    settings.write_text(text.replace('link = "dial"', 'link = "dial"\ndisplay_hours = 2'))
    assert "the configuration has been changed" in in_process("doctor", *orchard.at(orchard.bank)).out
    settings.write_text(text)


def _food_bank_is_admitted(orchard: Orchard, theirs: str) -> None:
    """The operator's telephone rings."""
    said = in_process("doctor", *orchard.at(orchard.bank)).out
    assert "waits for the operator to admit it" in said
    assert theirs in said
    listed = orchard.ran("federation", "joins", *orchard.operator)
    assert "Food Bank (food-bank), voluntary-organisation, voluntary" in listed
    assert "by the invitation for the food bank" in listed
    assert FINGERPRINT.findall(listed) == [theirs]
    assert theirs in orchard.ran("federation", "admit", theirs[:19], *orchard.operator, "--yes")
    assert orchard.ran("federation", "joins", *orchard.operator) == "Nobody asks to join.\n"
    signatures = [str(agency / "signature.jws") for agency in (orchard.council, orchard.bank)]
    orchard.ran("federation", "agreement", str(orchard.folder / "agreement.toml"), *signatures, *orchard.operator)
    orchard.publish()
