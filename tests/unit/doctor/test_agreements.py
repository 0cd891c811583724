"""What `patchwork doctor` says while no agreement is in force, and while members wait."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from gateway.doctor.agreements import AgreementFacts, check_agreements
from gateway.doctor.finding import Level
from gateway.policy.agreement import read_agreement
from gateway.policy.in_force import sign_agreement
from gateway.wire.acceptance import ChangeKind, PendingChange
from gateway.wire.federation import AgreementBytes, Federation, Member, MemberKey, sign_document
from gateway.wire.keys import LedgerKey, SigningKey
from mappings.vocabulary import OrganisationType, Sector
from tests.federation import AGREEMENT

NOW = 1_790_000_000
TODAY = datetime.fromtimestamp(NOW, UTC).date()
DAY = 86_400
OPERATOR = SigningKey.generate()
ME, OTHER = "housing", "police"
KEYS = {ME: SigningKey.generate(), OTHER: SigningKey.generate()}
TEXT = AGREEMENT.read_bytes()
TERMS = read_agreement(TEXT, "test")
FACTS = AgreementFacts(me=ME, today=TODAY, listed=frozenset({TERMS.sha256}), accepted=frozenset({TERMS.sha256}))
WAITS = (PendingChange(kind=ChangeKind.NEW_MEMBER, member=OTHER),)


def document(*signers: str, carried: bool = True, members: tuple[str, ...] = (ME, OTHER)) -> Federation:
    signatures = tuple(
        sign_agreement(TERMS, member=each, federation="orchard", key=KEYS[each], now=NOW - 60) for each in signers
    )
    return sign_document(
        operator="orchard",
        name="orchard",
        seq=7,
        members=tuple(
            Member(
                id=each,
                identifier=(),
                name=each,
                type=OrganisationType.HOUSING,
                sector=Sector.STATUTORY,
                status="active",
                keys=(MemberKey(key=KEYS[each].verify_key(), not_before=NOW - DAY, not_after=NOW + 365 * DAY),),
                ledger_key=LedgerKey.generate().public_jwk(),
                endpoint=None,
                duty_contact=(),
            )
            for each in members
        ),
        agreements=(AgreementBytes(text=TEXT, signatures=signatures),) if carried else (),
        hub_keys=(SigningKey.generate().verify_key(),),
        key=OPERATOR,
        now=NOW,
    )


def test_with_whom_an_agreement_is_in_force_is_said() -> None:
    (finding,) = check_agreements(FACTS, document(ME, OTHER))
    assert (finding.level, finding.what) == (Level.WELL, "in force with police")
    (finding,) = check_agreements(FACTS, document(members=(ME,)))
    assert finding.level is Level.WELL
    assert check_agreements(FACTS, None) == check_agreements(FACTS, document(members=(OTHER,))) == []


@pytest.mark.parametrize(
    ("facts", "received", "why", "do"),
    [
        (FACTS, document(carried=False), "has none to which this agency is a party", "`patchwork agreement sign`"),
        (FACTS, document(OTHER), "not signed by this agency", "`patchwork agreement sign`"),
        (FACTS, document(ME), "nobody else has signed it", "ask the other parties"),
        (replace(FACTS, accepted=frozenset()), document(ME, OTHER), "not accepted here", "start the node again"),
        (
            replace(FACTS, accepted=frozenset(), listed=frozenset()),
            document(ME, OTHER),
            "not accepted",
            "name its file",
        ),
        (replace(FACTS, waiting=WAITS), document(ME, OTHER), "is not accepted here", "`patchwork node accept`"),
        (replace(FACTS, today=date(2020, 1, 1)), document(ME, OTHER), "begins on", "wait"),
        (replace(FACTS, today=date(2100, 1, 1)), document(ME, OTHER), "ended on", "next version"),
    ],
)
def test_without_one_in_force_it_is_said_why_and_what_to_do(
    facts: AgreementFacts, received: Federation, why: str, do: str
) -> None:
    finding = check_agreements(facts, received)[0]
    assert finding.level is Level.WRONG
    assert "none in force" in finding.what
    assert (why in finding.what, do in finding.do) == (True, True), finding


def test_members_who_wait_are_named() -> None:
    *_, finding = check_agreements(replace(FACTS, waiting=WAITS), document(ME, OTHER))
    assert (finding.check, finding.level) == ("members", Level.SOON)
    assert "police (new-member)" in finding.what
