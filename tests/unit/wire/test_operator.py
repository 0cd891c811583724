"""Whom the operator refuses to admit."""

from pathlib import Path

import pytest

from gateway.errors import InputError
from gateway.wire.federation import Member, MemberKey
from gateway.wire.join import sign_join
from gateway.wire.keys import LedgerKey, SigningKey
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
