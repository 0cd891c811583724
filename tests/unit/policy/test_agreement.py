"""Agreements: strict reading, signatures over exact bytes, and what is in force between whom."""

import hashlib
from dataclasses import replace
from datetime import date

import pytest

from gateway.errors import ConfigurationError
from gateway.policy.agreement import Agreement, read_agreement
from gateway.policy.in_force import (
    SIGNATURE_TYPE,
    PublishedAgreement,
    in_force,
    publish,
    recipients_to_ask,
    sign_agreement,
    signers,
)
from gateway.wire import jws
from gateway.wire.federation import AgreementBytes, Federation, Member, MemberKey
from gateway.wire.keys import SigningKey
from gateway.wire.limits import MAX_AGREEMENT_BYTES
from mappings.vocabulary import LawfulBasis, OrganisationType, Purpose, Sector
from tests.policy_cases import AGREEMENTS

TEXT = AGREEMENTS["children-and-families"].read_bytes()
AGREEMENT = read_agreement(TEXT, "agreement.toml")
NOW = 1_795_000_000
TODAY = date(2026, 11, 18)
DAY = 86_400
TYPES = {
    "childrens-services": OrganisationType.LOCAL_AUTHORITY,
    "community-trust": OrganisationType.NHS_TRUST,
    "police": OrganisationType.POLICE,
    "housing": OrganisationType.HOUSING,
    "food-bank": OrganisationType.VOLUNTARY,
    "school": OrganisationType.SCHOOL,  # a member that is not party to the agreement
}
KEYS = {member: SigningKey.generate() for member in TYPES}


def signature(member: str, *, agreement: Agreement = AGREEMENT, by: str | None = None, now: float = NOW) -> str:
    return sign_agreement(agreement, member=member, federation="northshire", key=KEYS[by or member], now=now)


def member(name: str, *, active: bool = True, not_before: int = NOW - DAY, not_after: int = NOW + DAY) -> Member:
    key = MemberKey(key=KEYS[name].verify_key(), not_before=not_before, not_after=not_after)
    return Member(
        id=name,
        identifier=(),
        name=name,
        type=TYPES[name],
        sector=Sector.VOLUNTARY if name == "food-bank" else Sector.STATUTORY,
        status="active" if active else "suspended",
        keys=(key,),
        ledger_key={},
        endpoint=None,
        duty_contact=(),
    )


def federation(*agreements: AgreementBytes, **changed: Member) -> Federation:
    members = {name: member(name) for name in TYPES}
    members |= {changed_member.id: changed_member for changed_member in changed.values()}
    return Federation(
        name="northshire",
        operator="operator",
        seq=1,
        sha256="0" * 64,
        issued_at=NOW,
        expires_at=NOW + DAY,
        members=members,
        agreements=agreements,
        hub_keys={},
        token=b"",
    )


def test_demonstration_agreement_is_read_whole() -> None:
    assert AGREEMENT.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert AGREEMENT.members == set(TYPES) - {"school"}
    assert {rule.id for rule in AGREEMENT.rules} >= {"coordination", "safeguarding", "no-camhs-to-housing"}


def test_a_text_that_no_federation_document_can_carry_is_refused_before_anybody_signs_it() -> None:
    filler = b"\n#" + b"x" * (MAX_AGREEMENT_BYTES - len(TEXT) - 2)
    read_agreement(TEXT + filler, "agreement.toml")
    with pytest.raises(ConfigurationError, match=r"agreement\.toml: longer than 65536 bytes"):
        read_agreement(TEXT + filler + b"x", "agreement.toml")


BAD = [
    ("an unknown key", 'version = "1.0"', 'version = "1.0"\nverison = "1.1"', "agreement.toml: verison: unknown key"),
    (
        "an unknown key of a rule",
        'effect = "deny"',
        'effect = "deny"\nmood = "bad"',
        "rule no-camhs-to-housing: mood: unknown",
    ),
    (
        "a key that a deny rule cannot have",
        'effect = "deny"',
        'effect = "deny"\nmin_auth = "mfa"',
        "min_auth: unknown key",
    ),
    ("a missing key", 'uri = "https', '# uri = "https', "agreement.toml: uri: missing"),
    ("a missing key of a rule", "needs_consent = false", "", "rule coordination: needs_consent: missing"),
    (
        "an unknown purpose",
        'purposes = ["THREAT"]',
        'purposes = ["threat"]',
        "rule safeguarding: purposes: must be some",
    ),
    ("a purpose not agreed", 'purposes = ["THREAT"]', 'purposes = ["TREAT"]', "rule safeguarding: purposes: not all"),
    ("an unknown mode", 'mode = "schedule"', 'mode = "everything"', "rule coordination: mode: must be one of"),
    ("mode none", 'mode = "schedule"', 'mode = "none"', "rule coordination: mode: must be one of"),
    ("an unknown effect", 'effect = "review"', 'effect = "maybe"', "effect: must be one of"),
    ("a flag as a text", "needs_consent = false", 'needs_consent = "false"', "needs_consent: must be true or false"),
    ("a bar below probable", 'min_grade = "certain"', 'min_grade = "possible"', "min_grade: must be probable"),
    ("consent as basis, not needed", "needs_consent = true", "needs_consent = false", "needs_consent: must be true"),
    ("a repeated rule id", 'id = "safeguarding"', 'id = "coordination"', "rule id coordination is used twice"),
    ("a rule id with blanks", 'id = "safeguarding"', 'id = "safe guarding"', "id: must be lower-case"),
    ("a date as a text", "start_date = 2026-01-01", 'start_date = "2026-01-01"', "start_date: must be a date"),
    (
        "a date with a time",
        "start_date = 2026-01-01",
        "start_date = 2026-01-01T00:00:00Z",
        "start_date: must be a date",
    ),
    ("an end before the start", "end_date = 2036-12-31", "end_date = 2025-12-31", "end_date is before"),
    ("an empty list", 'ask = ["voluntary-organisation"]', "ask = []", "ask: must be a list with at least one"),
    ("a list with a number", 'services = ["CAMHS"]', "services = [1]", "services: must be a list"),
    ("a repeated entry", 'services = ["CAMHS"]', 'services = ["CAMHS", "CAMHS"]', "services: must be a list without"),
    ("a party twice", 'catalogue_id = ["police"]', 'catalogue_id = ["housing"]', "party: a member is listed twice"),
    ("no TOML", "uri = ", "uri : ", "agreement.toml: not readable as TOML"),
    ("an empty text", 'version = "1.0"', 'version = ""', "version: must be a text"),
    ("a text too long", 'version = "1.0"', f'version = "{"1" * 2001}"', "version: must be a text"),
    (
        "proceeding against an objection to consent",
        'disclosure_basis = "consent"\narticle9_condition = "explicit-consent"\non_objection = "deny"',
        'disclosure_basis = "consent"\non_objection = "proceed-and-record"',
        "on_objection: must be",
    ),
]


@pytest.mark.parametrize(("what", "old", "new", "message"), BAD, ids=[bad[0] for bad in BAD])
def test_bad_agreement_is_refused_naming_file_and_key(what: str, old: str, new: str, message: str) -> None:
    text = TEXT.decode()
    assert old in text, what
    with pytest.raises(ConfigurationError) as refused:
        read_agreement(text.replace(old, new, 1).encode(), "agreement.toml")
    assert message in str(refused.value)


@pytest.mark.parametrize("text", [b"\xff", b"", b"a" * 300_000, b"rule = 1", b"[" * 10_000])
def test_hostile_bytes_are_refused(text: bytes) -> None:
    with pytest.raises(ConfigurationError, match=r"^agreement\.toml: "):
        read_agreement(text, "agreement.toml")


def test_signatures_of_exactly_these_bytes_count() -> None:
    other = read_agreement(TEXT + b"\n", "agreement.toml")
    found = signers(
        AGREEMENT,
        [signature("police"), signature("housing"), signature("food-bank", agreement=other), "not.a.token"],
        federation(),
    )
    assert found == {"police", "housing"}


def test_signature_by_somebody_else_does_not_count() -> None:
    assert signers(AGREEMENT, [signature("police", by="housing")], federation()) == frozenset()


def test_signature_by_a_key_not_yet_or_no_longer_in_force_does_not_count() -> None:
    for now in (NOW - 2 * DAY, NOW + 2 * DAY):
        assert signers(AGREEMENT, [signature("police", now=now)], federation()) == frozenset()


def test_signature_stays_good_after_its_key_has_ended() -> None:
    ended = member("police", not_before=NOW - 9 * DAY, not_after=NOW - 5 * DAY)
    assert signers(AGREEMENT, [signature("police", now=NOW - 6 * DAY)], federation(police=ended)) == {"police"}


def test_signature_for_another_federation_or_of_another_type_does_not_count() -> None:
    claims = {
        "iss": "police",
        "iat": NOW,
        "agreement": {"uri": AGREEMENT.uri, "version": "1.0", "sha256": AGREEMENT.sha256},
    }
    elsewhere = jws.sign({**claims, "federation": "elsewhere"}, typ=SIGNATURE_TYPE, key=KEYS["police"])
    other_type = jws.sign({**claims, "federation": "northshire"}, typ="patchwork-query+jwt", key=KEYS["police"])
    assert signers(AGREEMENT, [elsewhere, other_type], federation()) == frozenset()


def published(*signed: str) -> PublishedAgreement:
    return PublishedAgreement(agreement=AGREEMENT, signed_by=frozenset(signed))


def holds(agreement: PublishedAgreement, **changes: object) -> bool:
    facts: dict[str, object] = {
        "federation": federation(),
        "accepted_locally": {AGREEMENT.sha256},
        "today": TODAY,
    }
    return in_force(agreement, "police", "housing", **(facts | changes))  # type: ignore[arg-type]  # facts by name


def test_in_force_needs_everything() -> None:
    both = published("police", "housing")
    assert holds(both)
    assert not holds(published("police"))
    assert not holds(published("housing", "food-bank"))
    assert not holds(both, accepted_locally=set())
    assert not holds(both, accepted_locally={"0" * 64})
    assert not holds(both, today=date(2025, 12, 31))
    assert not holds(both, today=date(2037, 1, 1))
    assert not holds(both, federation=federation(police=member("police", active=False)))
    without = replace(AGREEMENT, parties=tuple(party for party in AGREEMENT.parties if "police" not in party.members))
    assert not holds(replace(both, agreement=without))


def test_document_publishes_what_can_be_read_once() -> None:
    carried = AgreementBytes(text=TEXT, signatures=(signature("police"), signature("housing")))
    unreadable = AgreementBytes(text=b"nonsense", signatures=())
    found = publish(federation(carried, unreadable))
    assert list(found) == [(AGREEMENT.uri, "1.0")]
    assert found[AGREEMENT.uri, "1.0"].signed_by == {"police", "housing"}


def test_two_texts_of_one_version_are_none() -> None:
    carried = AgreementBytes(text=TEXT, signatures=())
    other = AgreementBytes(text=TEXT + b"\n", signatures=())
    assert publish(federation(carried, other)) == {}
    assert publish(federation(other, carried, other)) == {}


def ask(asker: str, purpose: Purpose, basis: LawfulBasis, **changed: Member) -> tuple[str, ...]:
    return recipients_to_ask(AGREEMENT, asker=asker, purpose=purpose, basis=basis, federation=federation(**changed))


def test_who_is_asked_depends_on_purpose_basis_and_asker() -> None:
    assert ask("childrens-services", Purpose.COORDINATION, LawfulBasis.PUBLIC_TASK) == (
        "community-trust",
        "food-bank",
        "housing",
    )
    assert ask("childrens-services", Purpose.SAFEGUARDING, LawfulBasis.PUBLIC_TASK) == ("community-trust", "police")
    assert ask("police", Purpose.COORDINATION, LawfulBasis.PUBLIC_TASK) == ()
    assert ask("food-bank", Purpose.COORDINATION, LawfulBasis.PUBLIC_TASK) == ()
    assert ask("childrens-services", Purpose.BREAK_GLASS, LawfulBasis.VITAL_INTERESTS) == ("community-trust", "police")
    assert ask("housing", Purpose.BREAK_GLASS, LawfulBasis.VITAL_INTERESTS) == ()


def test_food_bank_does_not_learn_of_a_police_question() -> None:
    assert "food-bank" not in ask("police", Purpose.SAFEGUARDING, LawfulBasis.PUBLIC_TASK)


def test_neither_strangers_nor_suspended_members_are_asked() -> None:
    suspended = member("community-trust", active=False)
    asked = ask("childrens-services", Purpose.COORDINATION, LawfulBasis.PUBLIC_TASK, trust=suspended)
    assert asked == ("food-bank", "housing")
    assert ask("nobody", Purpose.COORDINATION, LawfulBasis.PUBLIC_TASK) == ()
