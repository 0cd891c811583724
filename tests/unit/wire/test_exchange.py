"""One question and its answers, from the asker's key to the asker's screen."""

import json
import random
from dataclasses import replace

import pytest

from gateway.errors import InputError, NotAuthentic, NotForUs
from gateway.wire.answer import (
    NOTHING_TO_DISCLOSE,
    Disclosure,
    NothingToDisclose,
    Outcome,
    VerifiedAnswer,
    open_answer,
    pack,
    sign_answer,
)
from gateway.wire.envelope import Envelope, member_envelope, seal_query
from gateway.wire.limits import (
    ANSWER_BYTES,
    ANSWER_TOKEN_BYTES,
    MAX_INFLATED_BYTES,
    MAX_RECIPIENTS,
    SEALED_ANSWER_BYTES,
    SEALED_COPY_BYTES,
)
from gateway.wire.packing import SignedAnswer, deflate_to_fit, unpack
from gateway.wire.query import NameParts, Subject, VerifiedQuery, sign_query
from gateway.wire.seal import ReplyKey
from tests.unit.wire.parties import (
    CHARITY,
    COUNCIL,
    DAY,
    DISCLOSURE,
    LEAF,
    NOW,
    TRUST,
    Asked,
    Parties,
    ask,
    delivered,
    document,
    question,
    receive,
    reply,
)


def _opened(parties: Parties, asked: Asked, sealed: bytes, member: str = TRUST, now: float = NOW) -> VerifiedAnswer:
    return open_answer(
        sealed,
        reply_key=asked.reply_key,
        signed=asked.signed,
        member=parties.federation.members[member],
        federation=parties.federation,
        now=now,
    )


@pytest.mark.parametrize("me", [TRUST, CHARITY])
def test_each_recipient_reads_the_whole_question(parties: Parties, asked: Asked, me: str) -> None:
    verified = receive(parties, delivered(asked, me), me=me)
    assert verified.query == asked.signed.query
    assert (verified.sender.id, verified.token, verified.sha256) == (COUNCIL, asked.signed.token, asked.signed.sha256)


def test_question_without_optional_parts_comes_back_equal(parties: Parties) -> None:
    subject = Subject(identifiers=(("https://fhir.nhs.uk/Id/nhs-number", "9990000018"),))
    asked = ask(parties, subject=subject, break_glass="risk-to-life", only_certain=True, recipients=(TRUST,))
    assert receive(parties, delivered(asked)).query == asked.signed.query


def test_disclosed_team_arrives_with_its_rule(parties: Parties, asked: Asked) -> None:
    verified = receive(parties, delivered(asked))
    answer = _opened(parties, asked, reply(parties, verified, replace(DISCLOSURE, truncated=True)))
    assert (answer.outcome, answer.bundle, answer.rule) == (Outcome.TEAMS, DISCLOSURE.bundle, DISCLOSURE.rule)
    assert (answer.policy_uri, answer.policy_version, answer.truncated) == (DISCLOSURE.policy_uri, "1", True)
    assert (answer.member.id, answer.ledger_leaf, answer.display_until) == (TRUST, LEAF, int(NOW) + DAY)


def test_nothing_to_disclose_arrives_without_any_hint(parties: Parties, asked: Asked) -> None:
    verified = receive(parties, delivered(asked))
    answer = _opened(parties, asked, reply(parties, verified, NOTHING_TO_DISCLOSE))
    assert answer.outcome is Outcome.NOTHING_TO_DISCLOSE
    assert (answer.bundle, answer.policy_uri, answer.policy_version, answer.rule) == (None, None, None, None)
    assert answer.truncated is False


BUNDLE_OF_TWENTY = json.dumps({"entry": [{"fullUrl": f"urn:x:{n * 7919}", "name": "Invented"} for n in range(200)]})


@pytest.mark.parametrize(
    "what", [NOTHING_TO_DISCLOSE, DISCLOSURE, replace(DISCLOSURE, bundle=BUNDLE_OF_TWENTY.encode())]
)
def test_every_answer_has_one_size(parties: Parties, asked: Asked, what: Disclosure | NothingToDisclose) -> None:
    verified = receive(parties, delivered(asked))
    signed = sign_answer(what, to=verified, me=TRUST, ledger_leaf=LEAF, now=NOW, key=parties.signing[TRUST])
    assert len(pack(signed)) == ANSWER_BYTES
    assert len(reply(parties, verified, what)) == SEALED_ANSWER_BYTES


def test_question_size_tells_the_number_of_recipients_alone(parties: Parties) -> None:
    short = ask(parties, subject=Subject(names=(NameParts(text="Z"),)))
    long = ask(parties, subject=Subject(names=(NameParts(text="Z" * 200),) * 8))
    assert len(short.envelope.body) == len(long.envelope.body) == 8_192 + 2 * 64 + 16
    assert all(len(copy.sealed) == SEALED_COPY_BYTES for copy in long.envelope.copies.values())


def test_hub_hands_each_member_its_own_copy_alone(asked: Asked) -> None:
    at_hub = Envelope.from_json(asked.envelope.to_json())
    assert at_hub == asked.envelope
    handed = member_envelope(at_hub, TRUST, COUNCIL).to_json()
    assert json.loads(handed).keys() == {"v", "id", "deadline_ms", "body", "copy", "from"}
    with pytest.raises(NotForUs):
        member_envelope(at_hub, COUNCIL, COUNCIL)


def test_envelope_holds_no_word_of_the_question(asked: Asked) -> None:
    sent = asked.envelope.to_json() + asked.envelope.body
    assert not any(word in sent for word in (b"Quillfeather", b"public-task", asked.signed.token[200:220]))


def test_same_question_is_sealed_differently_each_time(parties: Parties, asked: Asked) -> None:
    keys = {name: parties.rings[name].current(NOW).public for name in (CHARITY, TRUST)}
    again = seal_query(asked.signed, keys, deadline_ms=2_000)
    assert again.body != asked.envelope.body


def test_question_for_the_most_recipients_fits(parties: Parties) -> None:
    reply_key = ReplyKey.generate()
    recipients = tuple(f"member-{n:04}" for n in range(MAX_RECIPIENTS))
    signed = sign_query(question(parties, reply_key, recipients=recipients), parties.signing[COUNCIL])
    assert signed.query.recipients[-1] == "member-1023"


def test_question_that_no_node_would_read_cannot_be_signed(parties: Parties) -> None:
    with pytest.raises(InputError, match="birthDate"):
        ask(parties, subject=Subject(names=(NameParts(text="Z"),), birth_date="2014-13"))


def test_question_too_long_for_its_size_cannot_be_signed(parties: Parties) -> None:
    names = (NameParts(given=("Z" * 200,) * 8, family="Z" * 200),) * 8
    with pytest.raises(InputError, match="too long"):
        ask(parties, subject=Subject(names=names))


def test_question_is_sealed_to_exactly_its_recipients(parties: Parties, asked: Asked) -> None:
    keys = {TRUST: parties.rings[TRUST].current(NOW).public}
    with pytest.raises(InputError):
        seal_query(asked.signed, keys, deadline_ms=2_000)


@pytest.mark.parametrize("seconds", [-30, 0, 89])
def test_question_is_accepted_within_skew_of_its_life(parties: Parties, asked: Asked, seconds: int) -> None:
    assert receive(parties, delivered(asked), now=NOW + seconds).query.jti == asked.signed.query.jti


def test_verified_query_cannot_be_made_by_hand(parties: Parties, asked: Asked) -> None:
    verified = receive(parties, delivered(asked))
    with pytest.raises(TypeError, match="verify_query"):
        VerifiedQuery(
            query=verified.query,
            sender=verified.sender,
            token=verified.token,
            sha256=verified.sha256,
            reply_to=verified.reply_to,
            checked=object(),
        )


def test_neither_question_nor_answer_shows_a_person_in_repr(parties: Parties, asked: Asked) -> None:
    verified = receive(parties, delivered(asked))
    shown = repr((asked.signed, verified, DISCLOSURE, sign_query(verified.query, parties.signing[COUNCIL])))
    assert not any(word in shown for word in ("Quillfeather", "Worker", "2014", "searchset"))


def test_two_answers_to_one_question_share_nothing_visible(parties: Parties, asked: Asked) -> None:
    verified = receive(parties, delivered(asked))
    first, second = (reply(parties, verified, NOTHING_TO_DISCLOSE) for _ in range(2))
    assert sum(a == b for a, b in zip(first, second, strict=True)) < SEALED_ANSWER_BYTES // 64


def test_answer_under_a_new_document_needs_the_members_key_still_there(parties: Parties, asked: Asked) -> None:
    sealed = reply(parties, receive(parties, delivered(asked)), DISCLOSURE)
    without = tuple(member for member in parties.federation.members.values() if member.id != TRUST)
    newer = document(parties, seq=8, members=without)
    with pytest.raises(NotAuthentic, match="revoked"):
        open_answer(
            sealed,
            reply_key=asked.reply_key,
            signed=asked.signed,
            member=parties.federation.members[TRUST],
            federation=newer,
            now=NOW,
        )


# The plaintext of an answer


@pytest.mark.parametrize("bundle", [b"", b"{}", b"x" * 6_500, b"x" * 6_600, b"ab" * 50_000, b"x" * MAX_INFLATED_BYTES])
def test_packed_answer_unpacks_to_itself(bundle: bytes) -> None:
    signed = SignedAnswer(jws=b"a.b.c" * 100, bundle=bundle)
    deflated = deflate_to_fit(bundle)
    assert deflated is not None
    assert unpack(pack(signed)) == signed
    assert unpack(pack(replace(signed, deflated=deflated))) == signed


def test_what_fits_can_be_packed_beside_the_longest_token() -> None:
    largest = next(size for size in range(7_000, 0, -1) if deflate_to_fit(_incompressible(size)))
    pack(SignedAnswer(jws=b"a" * ANSWER_TOKEN_BYTES, bundle=_incompressible(largest)))
    with pytest.raises(InputError):
        pack(SignedAnswer(jws=b"a" * ANSWER_TOKEN_BYTES, bundle=_incompressible(largest + 64)))


def _incompressible(size: int) -> bytes:
    return random.Random(1).randbytes(size)  # noqa: S311 - noise, no secret


def test_bundle_beyond_the_inflate_bound_does_not_fit() -> None:
    assert deflate_to_fit(b"x" * (MAX_INFLATED_BYTES + 1)) is None


def test_policy_that_leaves_no_room_is_refused_at_signing(parties: Parties, asked: Asked) -> None:
    verified = receive(parties, delivered(asked))
    endless = replace(DISCLOSURE, policy_uri="u" * 2_000)
    with pytest.raises(InputError):
        sign_answer(endless, to=verified, me=TRUST, ledger_leaf=LEAF, now=NOW, key=parties.signing[TRUST])


def test_longest_allowed_policy_leaves_room(parties: Parties, asked: Asked) -> None:
    verified = receive(parties, delivered(asked))
    longest = replace(DISCLOSURE, policy_uri="u" * 255, policy_version="1" * 32, rule="r" * 64)
    answer = _opened(parties, asked, reply(parties, verified, longest))
    assert answer.rule == "r" * 64
