"""Whom the operator refuses to admit, and which hubs it lists."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.federation import app as federation_commands
from gateway.errors import InputError
from gateway.wire.federation import Member, MemberKey
from gateway.wire.join import sign_join
from gateway.wire.keys import LedgerKey, SigningKey, fingerprint
from gateway.wire.operator import DOCUMENT_FILE, init_operator, open_operator
from mappings.vocabulary import OrganisationType, Sector

NOW = 1_790_000_000


def _join(member_id: str) -> str:
    key = SigningKey.generate()
    member = Member(
        id=member_id,
        identifier=(("https://example.org/id/agency", member_id),),
        name="Friends of the Library",
        type=OrganisationType.VOLUNTARY,
        sector=Sector.VOLUNTARY,
        status="active",
        keys=(MemberKey(key=key.verify_key(), not_before=NOW, not_after=NOW + 86_400),),
        ledger_key=LedgerKey.generate().public_jwk(),
        endpoint=None,
        duty_contact=(),
    )
    return sign_join(member, key, federation="northshire", now=NOW)


def test_nobody_is_admitted_under_the_name_of_a_kind_of_organisation(tmp_path: Path) -> None:
    operator = init_operator(tmp_path, name="northshire", hub_key=SigningKey.generate().verify_key(), now=NOW)
    before = (tmp_path / DOCUMENT_FILE).read_bytes()
    with pytest.raises(InputError, match="kind of organisation"):
        operator.admit(_join("police-force"), NOW)
    assert (tmp_path / DOCUMENT_FILE).read_bytes() == before
    operator.admit(_join("library-friends"), NOW)
    assert set(open_operator(tmp_path).document.members) == {"library-friends"}


def test_a_member_is_listed_under_the_id_that_the_operator_chooses_and_no_key_twice(tmp_path: Path) -> None:
    operator = init_operator(tmp_path, name="northshire", hub_key=SigningKey.generate().verify_key(), now=NOW)
    request = _join("library-friends")
    operator.admit(request, NOW, listed_as="friends")
    operator = open_operator(tmp_path)
    assert set(operator.document.members) == {"friends"}
    for taken, said in (("friends", "a member already"), ("library-friends", "listed already, of friends")):
        with pytest.raises(InputError, match=said):
            operator.admit(request, NOW, listed_as=taken)
    with pytest.raises(InputError, match="kind of organisation"):
        operator.admit(_join("others"), NOW, listed_as="police-force")


def test_a_second_hub_is_listed_once_and_the_last_one_stays(tmp_path: Path) -> None:
    first, second = SigningKey.generate().verify_key(), SigningKey.generate().verify_key()
    operator = init_operator(tmp_path, name="northshire", hub_key=first, now=NOW)
    assert set(operator.add_hub(second, NOW).hub_keys) == {first.kid, second.kid}
    operator = open_operator(tmp_path)
    with pytest.raises(InputError, match="listed already"):
        operator.add_hub(second, NOW)
    with pytest.raises(InputError, match="no hub has the key"):
        operator.remove_hub("unknown", NOW)
    assert set(operator.remove_hub(first.kid, NOW).hub_keys) == {second.kid}
    with pytest.raises(InputError, match="add the new one first"):
        open_operator(tmp_path).remove_hub(second.kid, NOW)
    assert set(open_operator(tmp_path).document.hub_keys) == {second.kid}


def test_the_operator_compares_a_second_hubs_fingerprint_before_it_is_listed(tmp_path: Path) -> None:
    first, second = SigningKey.generate(), SigningKey.generate()
    init_operator(tmp_path, name="northshire", hub_key=first.verify_key(), now=NOW)
    (tmp_path / "hub.jwk").write_text(json.dumps(second.public_jwk()))
    folder = ["-f", str(tmp_path)]
    refused = CliRunner().invoke(federation_commands, ["add-hub", str(tmp_path / "hub.jwk"), *folder], input="n\n")
    assert refused.exit_code != 0
    assert set(open_operator(tmp_path).document.hub_keys) == {first.kid}
    added = CliRunner().invoke(federation_commands, ["add-hub", str(tmp_path / "hub.jwk"), *folder], input="y\n")
    assert added.exit_code == 0
    assert fingerprint(second.public_jwk()) in added.output
    assert "copy it to every hub" in added.output
    shown = CliRunner().invoke(federation_commands, ["show", *folder]).output
    assert f"Hub key {first.kid}" in shown
    assert f"Hub key {second.kid}" in shown
    removed = CliRunner().invoke(federation_commands, ["remove-hub", first.kid, *folder])
    assert "copy it to the hub." in removed.output
    assert set(open_operator(tmp_path).document.hub_keys) == {second.kid}
