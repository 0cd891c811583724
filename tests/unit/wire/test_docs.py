"""docs/wire.md says what the code does: limits, error codes, and the members of every message."""

import json
import re
from pathlib import Path
from typing import Any

import orjson

from gateway import errors
from gateway.wire import base64url, limits
from gateway.wire.answer import sign_answer
from gateway.wire.counts import Counts, Hour, sign_counts
from gateway.wire.coverage import DeliveryOutcome, sign_coverage
from gateway.wire.envelope import member_envelope
from gateway.wire.freshness import sign_freshness
from gateway.wire.hand_over import sign_hand_over
from gateway.wire.invitation import sign_invitation
from gateway.wire.join import sign_join, sign_rotation
from gateway.wire.join_code import Joining
from gateway.wire.link_frames import AnswerFrame, HeardFrame, LeavingFrame, NewsFrame, QuestionFrame, RefusedFrame
from gateway.wire.request import sign_request
from gateway.wire.sealing_keys import sign_sealing_key
from mappings.vocabulary import OrganisationType, Sector
from tests.unit.wire.parties import (
    COUNCIL,
    DISCLOSURE,
    FEDERATION,
    JTI,
    LEAF,
    NOW,
    TRUST,
    Parties,
    ask,
    delivered,
    member,
    receive,
    signing_key,
)

TEXT = (Path(__file__).parents[3] / "docs" / "wire.md").read_text()
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]

_COUNTS = Counts(
    issuer=TRUST,
    reader=COUNCIL,
    federation=FEDERATION,
    hub="https://hub.example.org",
    since=1,
    until=3,
    hours={2: Hour(answered=1, received=1, unfinished=0)},
    ledger_size=1,
    ledger_root=LEAF,
)


def _claims(token: str | bytes) -> dict[str, Any]:
    payload = (token if isinstance(token, bytes) else token.encode()).split(b".")[1]
    return dict(orjson.loads(base64url.decode(payload)))


def _shape(value: object) -> object:
    """Names of members all the way down; what the document leaves open (`{}`) stays open."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    return [_shape(value[0])] if isinstance(value, list) and value else None


def _agrees(written: Any, sent: Any) -> bool:
    """Whether the document's example has the members of the message; optional ones may be absent from the message."""
    if isinstance(written, list):
        return bool(sent is None or _agrees(written[0], sent[0])) if written[0] is not None else True
    if not isinstance(written, dict) or not written:
        return True
    optional = {
        "endpoint",
        "rotation",
        "break_glass",
        "ledger_until",
        "ledger_before",
        "hub_ends",
        "hand_over",
        "authorities",
    }
    if sent.keys() - written.keys() or written.keys() - sent.keys() - optional:
        return False
    return all(_agrees(written[name], sent[name]) for name in sent)


def _example(*names: str) -> Any:
    """The one that has these members, of several the shortest."""
    having = [example for example in EXAMPLES if set(names) <= example.keys()]
    (found,) = [example for example in having if len(example) == min(map(len, having))]
    return _shape(found)


def test_limits_are_those_of_the_code() -> None:
    written = {name: int(value.replace(",", "")) for name, value in re.findall(r"\| `([A-Z_]+)` \| ([\d,]+) \|", TEXT)}
    assert written == {name: value for name, value in vars(limits).items() if name.isupper() and name != "KIB"}


def test_error_codes_are_those_of_the_code() -> None:
    written = re.findall(r"\| `([a-z-]+)` \| ([A-Z]\w+) \|", TEXT)
    assert len(written) == 10
    assert written == [(vars(errors)[name].code, name) for _, name in written]


def test_examples_have_the_members_that_are_sent(parties: Parties) -> None:
    asked = ask(parties, recipients=(TRUST,))
    trust = parties.signing[TRUST]
    key = parties.rings[TRUST].current(NOW).public
    school = signing_key("school")
    coverage = sign_coverage({TRUST: DeliveryOutcome.ANSWERED}, question=JTI, asker=COUNCIL, key=parties.hub, now=NOW)
    question = receive(parties, delivered(asked))
    answer = sign_answer(DISCLOSURE, to=question, me=TRUST, ledger_leaf=LEAF, now=NOW, key=trust)
    invitation = sign_invitation(
        parties.federation,
        parties.operator,
        hubs=("https://hub.example.org",),
        organisation_type=OrganisationType.VOLUNTARY,
        sector=Sector.VOLUNTARY,
        name="The school",
        now=NOW,
        lifetime_s=60,
    )
    given: dict[str, Any] = {"method": "POST", "path": "/v1/queries", "body": b""}
    request = sign_request(trust, iss=TRUST, aud=FEDERATION, now=NOW, jti=JTI, **given).removeprefix("Patchwork ")
    sent = {
        ("members", "seq"): _claims(parties.federation.token),
        ("operator", "hubs"): _claims(invitation.token),
        ("invitation",): orjson.loads(Joining(invitation="x", request="x").to_json()),
        ("aud", "seq"): _claims(sign_freshness(parties.federation, parties.hub, NOW)),
        ("member", "exp"): _claims(sign_join(member("school", school), school, federation=FEDERATION, now=NOW)),
        ("jwk",): _claims(sign_rotation(school.verify_key(), trust, member=TRUST, federation=FEDERATION, now=NOW)),
        ("until", "jwk"): _claims(
            sign_hand_over(school.verify_key(), parties.operator, federation=FEDERATION, now=NOW, overlap_s=60)
        ),
        ("sealing_key",): _claims(sign_sealing_key(key, trust, member=TRUST, federation=FEDERATION)),
        ("subject",): _claims(asked.signed.token),
        ("copies",): orjson.loads(asked.envelope.to_json()),
        ("copy",): orjson.loads(member_envelope(asked.envelope, TRUST, COUNCIL).to_json()),
        ("body_sha256",): _claims(request),
        ("in_reply_to", "members"): _claims(coverage),
        ("outcome",): _claims(answer.jws),
        ("hours",): _claims(sign_counts(_COUNTS, key=trust, now=NOW)),
        ("question",): orjson.loads(QuestionFrame(id=JTI, authorisation="Patchwork x", envelope=b"x").to_json()),
        ("news",): orjson.loads(NewsFrame(7).to_json()),
        ("sealed", "answer"): orjson.loads(AnswerFrame(id=JTI, sealed=b"x").to_json()),
        ("refused",): orjson.loads(RefusedFrame(id=JTI, code="overloaded").to_json()),
    }
    for names, message in sent.items():
        assert _agrees(_example(*names), _shape(message)), names
    for farewell in (LeavingFrame(), HeardFrame()):
        assert orjson.loads(farewell.to_json()) in EXAMPLES
