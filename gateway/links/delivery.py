"""What links have in common: the hub's word for one delivery, and how a delivery ends without an answer.

Some of these are equal and still apart: `is NOT_LINKED` says that no link has been given the question.
"""

from uuid import uuid4

from gateway.links.contract import Delivery
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.federation import HUB, Member
from gateway.wire.keys import SigningKey
from gateway.wire.paths import ANSWERS_PATH
from gateway.wire.request import HashedBody, sign_request

OVERLOADED_CODE = "overloaded"  # with which a node refuses before it opens anything

UNREACHABLE = Delivery(outcome=DeliveryOutcome.UNREACHABLE, fault=True)
REFUSED = Delivery(outcome=DeliveryOutcome.UNREACHABLE)  # it did respond: perhaps the asker's copy was at fault
NOT_SENT = Delivery(outcome=DeliveryOutcome.UNREACHABLE)  # it is this hub that has nothing left to connect with
NOT_LINKED = Delivery(outcome=DeliveryOutcome.UNREACHABLE)  # a node may be switched off: nobody is asked in vain
LOST = Delivery(outcome=DeliveryOutcome.UNREACHABLE)  # a process of this hub has died: no fault of the member
OVERLOADED = Delivery(outcome=DeliveryOutcome.OVERLOADED)


def question_token(key: SigningKey, member: Member, envelope: HashedBody, *, now: float) -> str:
    """The hub's word for one delivery to `member`, the same over each link: it is of a POST to its endpoint."""
    return sign_request(
        key, iss=HUB, aud=member.id, method="POST", path=ANSWERS_PATH, body=envelope, now=now, jti=str(uuid4())
    )
