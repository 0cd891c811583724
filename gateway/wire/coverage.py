"""The hub's signed claim about one question: which members were asked, and what became of each (docs/wire.md,
"Envelope").

It is a *claim*: the asker compares it with its own recipients and with the answers that it could open.
"""

from collections.abc import Mapping
from enum import StrEnum
from uuid import uuid4

from gateway.errors import MalformedMessage, NotForUs
from gateway.wire import jws
from gateway.wire.claims import only
from gateway.wire.federation import HUB, Federation
from gateway.wire.keys import SigningKey
from gateway.wire.limits import ANSWER_LIFETIME_S, MAX_COVERAGE_BYTES, MAX_RECIPIENTS

TYP = "patchwork-coverage+jwt"

_CLAIMS = frozenset({"iss", "aud", "iat", "exp", "jti", "in_reply_to", "members"})


class DeliveryOutcome(StrEnum):
    """What became of one member's copy: the words of the answer stream and of the coverage statement."""

    ANSWERED = "answered"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    NOT_TRIED = "not-tried"
    OVERLOADED = "overloaded"


def sign_coverage(
    outcomes: Mapping[str, DeliveryOutcome], *, question: str, asker: str, key: SigningKey, now: float
) -> str:
    """The statement as a compact JWS; `question` is the envelope's id, `outcomes` has one word per asked member."""
    claims = {
        "iss": HUB,
        "aud": asker,
        "iat": int(now),
        "exp": int(now) + ANSWER_LIFETIME_S,
        "jti": str(uuid4()),
        "in_reply_to": question,
        "members": {member: outcome.value for member, outcome in sorted(outcomes.items())},
    }
    return jws.sign(claims, typ=TYP, key=key)


def verify_coverage(
    token: str | bytes, *, question: str, me: str, federation: Federation, now: float
) -> dict[str, DeliveryOutcome]:
    """What the hub claims for each member; raises WireError."""
    claims = jws.verify(token, typ=TYP, keys=federation.hub_keys_at(now), max_bytes=MAX_COVERAGE_BYTES)
    only(claims, _CLAIMS)
    jws.check_times(claims, now, ANSWER_LIFETIME_S)
    if (claims["iss"], claims["aud"], claims["in_reply_to"]) != (HUB, me, question):
        raise NotForUs("coverage for another asker or another question")
    members = claims["members"]
    if not isinstance(members, dict) or len(members) > MAX_RECIPIENTS:
        raise MalformedMessage("members: not an object of bounded size")
    try:
        return {member: DeliveryOutcome(outcome) for member, outcome in members.items()}
    except ValueError:
        raise MalformedMessage("members: an outcome that does not exist") from None
