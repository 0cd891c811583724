"""Whom the operator refuses to admit, and which hubs it lists."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli.federation import app as federation_commands
from gateway.cli.rotate_key import rotation_request
from gateway.days import day_of
from gateway.doctor.finding import moment
from gateway.errors import ConfigurationError, InputError, MalformedMessage
from gateway.policy.agreement import read_agreement
from gateway.policy.in_force import sign_agreement
from gateway.wire.claims import MAX_MOMENT
from gateway.wire.federation import AgreementBytes, Member, MemberKey
from gateway.wire.join import KEY_YEARS_S, sign_join, sign_rotation
from gateway.wire.keys import LedgerKey, SigningKey, fingerprint
from gateway.wire.limits import SKEW_S
from gateway.wire.listed_keys import LISTED_FILE
from gateway.wire.operator import DOCUMENT_FILE, ROTATION_OVERLAP_S, Operator, init_operator, open_operator
from mappings.vocabulary import OrganisationType, Sector
from tests.federation import AGREEMENT

NOW = 1_790_000_000


def _join(member_id: str, key: SigningKey | None = None, *, now: float = NOW, **changes: Any) -> str:
    key = key or SigningKey.generate()
    member = Member(
        id=member_id,
        identifier=(("https://example.org/id/agency", member_id),),
        name="Friends of the Library",
        type=OrganisationType.VOLUNTARY,
        sector=Sector.VOLUNTARY,
        status="active",
        keys=(MemberKey(key=key.verify_key(), not_before=int(now), not_after=int(now) + 86_400 * 700),),
        ledger_key=LedgerKey.generate().public_jwk(),
        endpoint=None,
        duty_contact=(),
    )
    return sign_join(replace(member, **changes), key, federation="northshire", now=now)


def _key(key: SigningKey, *, begins: int, ends: int) -> tuple[MemberKey, ...]:
    return (MemberKey(key=key.verify_key(), not_before=begins, not_after=ends),)


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


def test_a_key_is_listed_from_when_it_was_asked_for_and_for_two_years_at_most(tmp_path: Path) -> None:
    operator = init_operator(tmp_path, name="northshire", hub_key=SigningKey.generate().verify_key(), now=NOW)
    first, second, later = SigningKey.generate(), SigningKey.generate(), NOW + 86_400
    for_ever = _join("friends", first, keys=_key(first, begins=0, ends=MAX_MOMENT), ledger_until=MAX_MOMENT)
    listed = operator.admit(for_ever, later).members["friends"]
    assert (listed.keys[0].not_before, listed.keys[0].not_after) == (NOW - SKEW_S, later + KEY_YEARS_S)
    assert listed.ledger_until == later + KEY_YEARS_S
    in_ten_years = _key(second, begins=later + 10 * KEY_YEARS_S, ends=MAX_MOMENT)
    listed = open_operator(tmp_path).update(_join("friends", second, keys=in_ten_years), later).members["friends"]
    assert (listed.keys[0].not_before, listed.keys[0].not_after) == (later, later + KEY_YEARS_S)


def test_a_key_that_has_ended_is_not_listed(tmp_path: Path) -> None:
    operator = init_operator(tmp_path, name="northshire", hub_key=SigningKey.generate().verify_key(), now=NOW)
    key = SigningKey.generate()
    over = _join("friends", key, keys=_key(key, begins=NOW, ends=NOW + 60))
    for ended in (over, _join("friends", ledger_until=NOW + 60)):
        with pytest.raises(InputError, match="ended already"):
            operator.admit(ended, NOW + 60)


@pytest.mark.parametrize("place", ["key", "ledger"])
def test_nobody_asks_for_a_key_that_ends_after_the_calendar(tmp_path: Path, place: str) -> None:
    operator = init_operator(tmp_path, name="northshire", hub_key=SigningKey.generate().verify_key(), now=NOW)
    key, beyond = SigningKey.generate(), MAX_MOMENT + 1
    changes = {"keys": _key(key, begins=0, ends=beyond)} if place == "key" else {"ledger_until": beyond}
    with pytest.raises(MalformedMessage, match="not an integer"):
        operator.admit(_join("friends", key, **changes), NOW)


def test_a_key_that_was_taken_out_is_never_listed_again(tmp_path: Path) -> None:
    stolen, new = SigningKey.generate(), SigningKey.generate()
    operator = init_operator(tmp_path, name="northshire", hub_key=SigningKey.generate().verify_key(), now=NOW)
    request = _join("friends", stolen, keys=_key(stolen, begins=NOW, ends=NOW + 86_400))
    operator.admit(request, NOW)
    open_operator(tmp_path).update(_join("friends", new, keys=_key(new, begins=NOW, ends=NOW + 86_400)), NOW)
    operator = open_operator(tmp_path)
    assert set(operator.ever_listed) == {stolen.kid, new.kid}
    for again in (
        lambda: operator.read_join(request, NOW, listed_as="others"),
        lambda: operator.update(request, NOW),
        lambda: operator.rotate(
            "friends",
            stolen.verify_key(),
            sign_rotation(stolen.verify_key(), new, member="friends", federation="northshire", now=NOW),
            NOW,
        ),
    ):
        with pytest.raises(InputError, match="listed before, of friends"):
            again()
    assert [key.key.kid for key in open_operator(tmp_path).document.members["friends"].keys] == [new.kid]


def test_keys_are_remembered_although_a_command_broke_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init_operator(tmp_path, name="northshire", hub_key=SigningKey.generate().verify_key(), now=NOW)
    key = SigningKey.generate()
    request = _join("friends", key, keys=_key(key, begins=NOW, ends=NOW + 86_400))
    with monkeypatch.context() as patch:
        patch.setattr("gateway.wire.operator.replace_file", _full)
        with pytest.raises(ConfigurationError):
            open_operator(tmp_path).admit(request, NOW)
    open_operator(tmp_path).admit(request, NOW)  # nothing was listed, so nothing was taken out
    assert set(open_operator(tmp_path).ever_listed) == {key.kid}


def test_a_file_of_listed_keys_that_is_broken_stops_the_operator_and_is_named(tmp_path: Path) -> None:
    operator = init_operator(tmp_path, name="northshire", hub_key=SigningKey.generate().verify_key(), now=NOW)
    (tmp_path / LISTED_FILE).write_text('{"keys":{"x":1}}')
    with pytest.raises(ConfigurationError, match=LISTED_FILE):
        operator.admit(_join("friends"), NOW)


def _full(path: Path, data: bytes) -> None:
    raise ConfigurationError(f"{path}: no room for {len(data)} bytes")


def test_the_operator_is_shown_the_key_first_and_all_that_would_be_listed(tmp_path: Path) -> None:
    init_operator(tmp_path, name="northshire", hub_key=SigningKey.generate().verify_key(), now=time.time())
    key, now = SigningKey.generate(), int(time.time())
    request = _join(
        "friends",
        key,
        now=now,
        keys=_key(key, begins=now, ends=MAX_MOMENT),
        identifier=(("https://fhir.nhs.uk/Id/ods-organization-code", "X07"),),
        duty_contact=(("phone", "01632 960001" + " " * 60 + "Key: 07e1 378e"),),
    )
    (tmp_path / "join.jws").write_text(request)
    typed = ["admit", str(tmp_path / "join.jws"), "-f", str(tmp_path)]
    shown = CliRunner().invoke(federation_commands, typed, input="n\n").output.splitlines()
    assert shown[0] == f"Key: {fingerprint(key.public_jwk())}"
    assert shown[1] == f"Good until {day_of(now + KEY_YEARS_S)}"
    assert "Identifier: https://fhir.nhs.uk/Id/ods-organization-code X07" in shown
    assert "Duty contact: phone 01632 960001 Key: 07e1 378e" in shown


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


def _rotation(operator: Operator, old: SigningKey, now: float) -> tuple[SigningKey, str]:
    """A next key, and the member's request in which `old` speaks for it."""
    new = SigningKey.generate()
    return new, rotation_request(operator.document.members["housing"], new, old, federation="northshire", now=now)


def _rotated_twice(folder: Path) -> tuple[Operator, list[SigningKey]]:
    """Housing has signed the agreement with its first key, and has a second and a third, signed by the first."""
    now = time.time()
    operator = init_operator(folder, name="northshire", hub_key=SigningKey.generate().verify_key(), now=now)
    first = SigningKey.generate()
    operator.admit(_join("housing", first, now=now), now)
    agreement = read_agreement(AGREEMENT.read_bytes(), "an agreement")
    signature = sign_agreement(agreement, member="housing", federation="northshire", key=first, now=now)
    operator = open_operator(folder)
    operator.set_agreement(AgreementBytes(text=AGREEMENT.read_bytes(), signatures=(signature,)), now)
    operator = open_operator(folder)
    second, request = _rotation(operator, first, now)
    operator.update(request, now)
    return open_operator(folder), [first, second]


def test_the_operator_is_told_which_agreements_end_with_a_key_before_it_is_revoked(tmp_path: Path) -> None:
    _, (first, second) = _rotated_twice(tmp_path)
    revoke = ["revoke", "housing", "-f", str(tmp_path)]
    asked = CliRunner().invoke(federation_commands, [*revoke, first.kid], input="n\n")
    assert asked.exit_code != 0
    assert "Friends of the Library's signature of " in asked.output
    assert fingerprint(first.public_jwk()) in asked.output
    assert len(open_operator(tmp_path).document.members["housing"].keys) == 2
    done = CliRunner().invoke(federation_commands, [*revoke, second.kid, "--yes"])
    assert done.exit_code == 0
    assert "signature of" not in done.output
    assert [key.key.kid for key in open_operator(tmp_path).document.members["housing"].keys] == [first.kid]


def test_the_operator_reads_when_the_key_ends_that_has_signed_the_next(tmp_path: Path) -> None:
    operator, (first, second) = _rotated_twice(tmp_path)
    _, request = _rotation(operator, first, time.time())  # after the second was thrown away
    (tmp_path / "request.jws").write_text(request)
    update = ["update", str(tmp_path / "request.jws"), "-f", str(tmp_path), "--yes"]
    told = CliRunner().invoke(federation_commands, update).output
    ends = day_of(time.time() + ROTATION_OVERLAP_S)
    assert f"Its key until now has signed this one: members' nodes take it, and the old one, {first.kid}, ends" in told
    assert f" ends on {ends}." in told
    assert f"patchwork federation revoke housing {second.kid}" in told


def test_the_operator_reads_who_was_suspended(tmp_path: Path) -> None:
    _rotated_twice(tmp_path)
    for command, said in (("suspend", "Friends of the Library (housing) is suspended"), ("resume", "takes part again")):
        assert said in CliRunner().invoke(federation_commands, [command, "housing", "-f", str(tmp_path)]).output


def test_who_takes_over_too_early_reads_until_when_officers_have_time(tmp_path: Path) -> None:
    init_operator(tmp_path, name="northshire", hub_key=SigningKey.generate().verify_key(), now=time.time())
    for command in ("hand-over", "take-over"):
        ran = CliRunner().invoke(federation_commands, [command, "-f", str(tmp_path)])
    said = open_operator(tmp_path).document.hand_over
    assert said is not None
    assert f"have until {moment(said.until)} to accept the next key" in str(ran.exception)
