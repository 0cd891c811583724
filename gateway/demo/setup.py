"""Makes the demonstration's federation in one folder: keys, exports, configuration files, signed documents.

What stands in the folder:

    hub/         hub.toml, keys/, data/
    operator/    the operator's key, the federation document
    <member>/    node.toml, keys/, data/, the agency's export

Keys and exports are made once; configuration and documents at every start, because the ports may be others and because
documents end after seven days. In a real federation these folders stand on seven machines, and people compare
fingerprints (docs/running-a-node.md); here one program plays all parts, so nobody has to.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.days import DAY_S, day_of
from gateway.demo.exports import EXPORTS
from gateway.demo.registers import registers
from gateway.errors import ConfigurationError
from gateway.files import replace_file
from gateway.hub.keys import HUB_KEY_FILE
from gateway.node.identity import make_keys
from gateway.node.ledger_keys import LEDGER_KEY_FILE
from gateway.node.signing_keys import SIGNING_KEY_FILE
from gateway.policy.agreement import read_agreement
from gateway.policy.in_force import sign_agreement
from gateway.resources import config_path
from gateway.wire.federation import AgreementBytes, Member, MemberKey, sign_document
from gateway.wire.keys import LedgerKey, SigningKey
from gateway.wire.limits import DOCUMENT_LIFETIME_S
from gateway.wire.operator import (
    DOCUMENT_FILE,
    KEY_FILE,
    PUBLIC_KEY_FILE,
    open_operator,
)
from mappings.vocabulary import OrganisationType, Sector

HUB = "hub"
OPERATOR = "operator"
MEMBER_KEY_LIFETIME_S = 10 * 365 * DAY_S  # a demonstration's keys are never rotated


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoMember:
    """One agency of config/demo/federation.toml."""

    id: str
    name: str
    type: str
    sector: str
    identifier: Mapping[str, str]
    duty_contact: Mapping[str, str]
    port: int
    web_port: int
    source: Mapping[str, str]
    practitioner: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """The whole demonstration: what config/demo/ says, and the folder that it lives in."""

    name: str
    hub_port: int
    members: tuple[DemoMember, ...]
    folder: Path

    @property
    def ports(self) -> dict[str, int]:
        """The ports that everything listens on if they are free: the hub, each member, and each member's pages."""
        doors = {HUB: self.hub_port} | {member.id: member.port for member in self.members}
        return doors | {pages_of(member.id): member.web_port for member in self.members}

    def config(self, who: str) -> Path:
        """The configuration file of a member, or of the hub."""
        return self.folder / who / ("hub.toml" if who == HUB else "node.toml")


def pages_of(member: str) -> str:
    """The name of a member's pages among the ports."""
    return f"{member} pages"


def open_demo(folder: Path) -> Demo:
    """Read config/demo/federation.toml; nothing is made yet."""
    table = tomllib.loads(config_path("demo/federation.toml").read_text("utf-8"))
    members = tuple(DemoMember(**member) for member in table["member"])
    return Demo(name=table["name"], hub_port=table["hub_port"], members=members, folder=folder.resolve())


def make_once(demo: Demo, now: float) -> None:
    """Whatever is missing of keys and exports; raises ConfigurationError."""
    try:
        for who in (HUB, OPERATOR, *(member.id for member in demo.members)):
            (demo.folder / who).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{demo.folder}: cannot be made: {error.strerror}") from error
    _make_key(demo.folder / HUB / "keys" / HUB_KEY_FILE)
    _make_key(demo.folder / OPERATOR / KEY_FILE)
    for member in demo.members:
        if not (demo.folder / member.id / "keys" / LEDGER_KEY_FILE).exists():
            make_keys(demo.folder / member.id / "keys", now)
    missing = {member.id: export for member in demo.members if not (export := _export(demo, member)).exists()}
    if missing:
        today = day_of(now)
        for register in registers(today):
            if register.member in missing:
                draft = missing[register.member].with_suffix(".draft")
                draft.unlink(missing_ok=True)
                EXPORTS[register.member](register, draft)
                draft.rename(missing[register.member])


def make_anew(demo: Demo, ports: Mapping[str, int], now: float) -> None:
    """Configuration for these ports (of all that Demo.ports names), and fresh documents; raises ConfigurationError."""
    agreement = demo.folder / OPERATOR / "agreement.toml"
    replace_file(agreement, config_path("demo/agreement.toml").read_bytes())
    _sign_document(demo, agreement.read_bytes(), ports, now)
    document, operator_key = demo.folder / OPERATOR / DOCUMENT_FILE, demo.folder / OPERATOR / PUBLIC_KEY_FILE
    hub = {
        "id": HUB,
        "listen": f"127.0.0.1:{ports[HUB]}",
        "federation_document": str(document),
        "operator_key": str(operator_key),
    }
    replace_file(demo.config(HUB), _toml({"[hub]": hub}))
    for member in demo.members:
        asking = dict(member.practitioner)
        phone = {"system": "phone", "value": asking.pop("phone")}
        tables: dict[str, dict[str, Any]] = {
            "[node]": {"member": member.id, "listen": f"127.0.0.1:{ports[member.id]}"},
            "[[federation]]": {
                "id": demo.name,
                "operator_key": str(operator_key),
                "hubs": [f"http://127.0.0.1:{ports[HUB]}"],
                "accept_members": "operator",
                "agreements": [str(agreement)],
            },
            "[[practitioner]]": asking | {"telecom": [phone]},
            "[[source]]": _source(demo, member),
            "[web]": {
                "listen": f"127.0.0.1:{ports[pages_of(member.id)]}",
                "url": f"http://127.0.0.1:{ports[pages_of(member.id)]}",
                "demo": True,
            },
        }
        replace_file(demo.config(member.id), _toml(tables))


def _sign_document(demo: Demo, text: bytes, ports: Mapping[str, int], now: float) -> None:
    """The next document: (1) the members as their keys say (2) the agreement, signed by all (3) seq goes on."""
    operator = demo.folder / OPERATOR
    key = SigningKey.load(operator / KEY_FILE)
    replace_file(operator / PUBLIC_KEY_FILE, json.dumps(key.public_jwk()).encode())
    held = open_operator(operator).document if (operator / DOCUMENT_FILE).exists() else None
    agreement = read_agreement(text, "config/demo/agreement.toml")
    members, signatures = [], []
    for each in demo.members:
        keys = demo.folder / each.id / "keys"
        signing_key, ledger_key = (
            SigningKey.load(keys / SIGNING_KEY_FILE),
            LedgerKey.load(keys / LEDGER_KEY_FILE),
        )  # (1)
        earlier = held.members[each.id].keys[0] if held else None
        start = earlier.not_before if earlier else int(now)
        verify_key = signing_key.verify_key()
        members.append(
            Member(
                id=each.id,
                identifier=((each.identifier["system"], each.identifier["value"]),),
                name=each.name,
                type=OrganisationType(each.type),
                sector=Sector(each.sector),
                status="active",
                keys=(MemberKey(key=verify_key, not_before=start, not_after=start + MEMBER_KEY_LIFETIME_S),),
                ledger_key=ledger_key.public_jwk(),
                endpoint=f"http://127.0.0.1:{ports[each.id]}",
                duty_contact=((each.duty_contact["system"], each.duty_contact["value"]),),
            )
        )
        signatures.append(
            sign_agreement(agreement, member=each.id, federation=demo.name, key=signing_key, now=now)  # (2)
        )
    document = sign_document(
        operator=demo.name,
        name=demo.name,
        seq=held.seq + 1 if held else 1,  # (3)
        members=tuple(members),
        agreements=(AgreementBytes(text=text, signatures=tuple(signatures)),),
        hub_keys=(SigningKey.load(demo.folder / HUB / "keys" / HUB_KEY_FILE).verify_key(),),
        key=key,
        now=now,
        lifetime_s=DOCUMENT_LIFETIME_S,
    )
    replace_file(operator / DOCUMENT_FILE, document.token)


def _make_key(path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        SigningKey.generate().save(path)


def _export(demo: Demo, member: DemoMember) -> Path:
    return demo.folder / member.id / member.source["file"]


def _source(demo: Demo, member: DemoMember) -> dict[str, Any]:
    path = _export(demo, member)
    connector = member.source["connector"]
    options = {"url": f"sqlite:///{path}"} if connector == "sql" else {"path": str(path)}
    return {"name": "case-system", "mapping": member.source["mapping"], "options": options}


def _toml(tables: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Tables by their headings; texts, lists and inline tables only, and JSON's quoting of text is valid TOML."""
    lines = ["# Written anew at each start of `patchwork demo`."]
    for heading, values in tables.items():
        lines += ["", heading, *(f"{name} = {_value(value)}" for name, value in values.items())]
    return "\n".join([*lines, ""]).encode()


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_value(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
