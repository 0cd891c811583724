"""What ends by itself is warned of in time: from the document, from certificates, in the log."""

import io
import json
import logging
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import orjson
import pytest

from gateway.days import DAY_S
from gateway.doctor.expiry import Ending, hub_key_endings, last_hub_ending, member_endings
from gateway.doctor.expiry_watch import hub_endings, node_endings, warn
from gateway.events import JsonLines
from gateway.files import replace_file
from gateway.policy.agreement import read_agreement
from gateway.policy.in_force import sign_agreement
from gateway.settings import load_hub, load_node
from gateway.wire.federation import AgreementBytes, Federation, MemberKey, sign_document
from gateway.wire.hand_over import sign_hand_over
from gateway.wire.keys import SigningKey
from tests.certificates import certificate_files
from tests.federation import AGREEMENT
from tests.unit.doctor.test_checks import HUB, KEY, MEMBER, NOW, OPERATOR

NEXT = SigningKey.generate()


def document(*ends: str, signing: SigningKey = KEY) -> Federation:
    """MEMBER with its key and a successor, and an agreement in one version for each of these last days."""
    old, fresh = replace(MEMBER.keys[0], not_after=NOW + 10 * DAY_S), MEMBER.keys[0]
    successor = MemberKey(key=NEXT.verify_key(), not_before=NOW, not_after=fresh.not_after)
    carried = []
    for number, end in enumerate(ends, 1):
        text = AGREEMENT.read_text().replace("end_date = 2036-12-31", f"end_date = {end}")
        text = text.replace('version = "1"', f'version = "{number}"')
        agreement = read_agreement(text.encode(), "test")
        token = sign_agreement(agreement, member="housing", federation="orchard", key=signing, now=NOW - 60)
        carried.append(AgreementBytes(text=text.encode(), signatures=(token,)))
    return sign_document(
        operator="orchard",
        name="orchard",
        seq=7,
        members=(replace(MEMBER, keys=(old, successor)),),
        agreements=tuple(carried),
        hub_keys=(HUB.verify_key(),),
        key=OPERATOR,
        now=NOW,
    )


def of(endings: object, kind: str) -> list[Ending]:
    return [each for each in endings if each.kind == kind]  # type: ignore[attr-defined]


def test_a_key_that_has_a_successor_ends_without_a_warning() -> None:
    (ending,) = of(member_endings(document(), "housing"), "signing-key")
    assert ending.name == f"signing key {NEXT.kid}"
    assert ending.at == NOW + 365 * DAY_S
    assert list(member_endings(document(), "stranger")) == []


def test_of_an_agreement_the_version_that_lasts_longest_counts_to_the_end_of_its_last_day() -> None:
    (ending,) = of(member_endings(document("2026-10-01", "2026-12-31"), "housing"), "agreement")
    assert "version 2" in ending.name
    assert datetime.fromtimestamp(ending.at, UTC).date() == date(2027, 1, 1)
    assert ending.days_left(ending.at + 6 * DAY_S) == 0
    assert ending.days_left(ending.at + 8 * DAY_S) is None  # it was meant to end
    unsigned = document("2026-10-01", signing=SigningKey.generate())
    assert of(member_endings(unsigned, "housing"), "agreement") == []


def test_own_certificates_and_the_document_are_among_what_ends(tmp_path: Path) -> None:
    certificate, key = certificate_files(tmp_path)
    tls = f'certificate = "{certificate}"\nkey = "{key}"\n'
    (tmp_path / "node.toml").write_text(
        '[node]\nmember = "housing"\n[[federation]]\nid = "orchard"\noperator_key = "operator.jwk"\n'
        f'hubs = ["https://hub.example.org"]\n[node.tls]\n{tls}'
    )
    (tmp_path / "hub.toml").write_text(
        f'[hub]\nid = "hub"\nfederation_document = "f"\noperator_key = "o"\n[hub.tls]\n{tls}'
    )
    node, hub = load_node(tmp_path / "node.toml"), load_hub(tmp_path / "hub.toml")
    assert {each.kind for each in node_endings(node, document())} == {"document", "signing-key", "certificate"}
    assert {each.kind for each in hub_endings(hub, document())} == {"document", "certificate"}
    (ending,) = hub_endings(hub, None)
    assert str(certificate) in ending.name
    assert ending.days_left(datetime.now(UTC).timestamp()) == 1
    certificate.write_text("no certificate")
    assert hub_endings(hub, None) == []  # the doctor names it; nothing of it stops the hub's warnings


def test_keys_of_hub_and_ledger_and_the_operators_hand_over_are_among_what_ends(tmp_path: Path) -> None:
    second, operators_next = SigningKey.generate(), SigningKey.generate()
    document = sign_document(
        operator="orchard",
        name="orchard",
        seq=8,
        members=(replace(MEMBER, ledger_until=NOW + 20 * DAY_S),),
        agreements=(),
        hub_keys=(HUB.verify_key(), second.verify_key()),
        hub_ends={HUB.kid: NOW + 5 * DAY_S, second.kid: NOW + 25 * DAY_S},
        hand_over=sign_hand_over(
            operators_next.verify_key(), OPERATOR, federation="orchard", now=NOW, overlap_s=6 * DAY_S
        ),
        key=OPERATOR,
        now=NOW,
    )
    (ledger,) = of(member_endings(document, "housing"), "ledger-key")
    assert (ledger.days_left(NOW), "rotate-ledger-key" in ledger.do) == (30, True)
    assert [each.at for each in hub_key_endings(document, {HUB.kid})] == [NOW + 5 * DAY_S]
    assert [each.at for each in hub_key_endings(document, {HUB.kid, second.kid})] == [NOW + 25 * DAY_S]
    assert [each.at for each in last_hub_ending(document)] == [NOW + 25 * DAY_S]  # until then one is believed
    unending = replace(document, hub_ends={HUB.kid: NOW})
    assert list(last_hub_ending(unending)) == []

    replace_file(tmp_path / "operator.jwk", orjson.dumps(OPERATOR.public_jwk()))
    (tmp_path / "keys").mkdir()
    HUB.save(tmp_path / "keys" / "hub.pem")
    (tmp_path / "node.toml").write_text(
        '[node]\nmember = "housing"\n[[federation]]\nid = "orchard"\noperator_key = "operator.jwk"\n'
        'hubs = ["https://hub.example.org"]\n'
    )
    (tmp_path / "hub.toml").write_text('[hub]\nid = "hub"\nfederation_document = "f"\noperator_key = "operator.jwk"\n')
    node, hub = load_node(tmp_path / "node.toml"), load_hub(tmp_path / "hub.toml")
    for endings in (node_endings(node, document), hub_endings(hub, document)):
        (operator,) = of(endings, "operator-key")
        assert operator.days_left(NOW) == 7
        assert of(endings, "hub-key")
    assert document.hand_over is not None
    (tmp_path / "operator-hand-over.jws").write_text(document.hand_over.token)  # the officer has accepted it
    assert of(node_endings(node, document), "operator-key") == []


@pytest.mark.parametrize(("left", "days", "level"), [(20, 30, "warning"), (1, 1, "error"), (-1, 0, "error")])
def test_the_log_warns_of_each_with_its_days(left: int, days: int, level: str) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("patchwork")
    logger.addHandler(handler)
    try:
        far = Ending(kind="agreement", name="agreement B", at=NOW + 90 * DAY_S, do="")
        warn([Ending(kind="certificate", name="certificate c.pem", at=NOW + left * DAY_S, do=""), far], NOW)
    finally:
        logger.removeHandler(handler)
    (line,) = map(json.loads, written.getvalue().splitlines())
    assert (line["event"], line["kind"], line["days"], line["level"]) == ("expiry.near", "certificate", days, level)
