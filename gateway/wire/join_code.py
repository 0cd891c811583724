"""A request to join that comes by a join code, on its way to the hub and from there to the operator.

The hub keeps it until the operator fetches it. Neither believes the other: each verifies both parts (docs/wire.md,
"Joining by code").
"""

from dataclasses import dataclass, field

import orjson

from gateway.errors import MalformedMessage, NotForUs, WireError
from gateway.wire.claims import Claims, array, integer, moment, only, read_claims, text
from gateway.wire.invitation import VERSION, Invitation, verify_invitation
from gateway.wire.join import JoinRequest, verify_join
from gateway.wire.keys import VerifyKey
from gateway.wire.limits import (
    MAX_INVITATION_BYTES,
    MAX_JOIN_BYTES,
    MAX_JOINING_BYTES,
    MAX_JOINS_BYTES,
    MAX_WAITING_JOINS,
)

_JOINING = frozenset({"v", "invitation", "request"})
_WAITING = frozenset({"received_at", "invitation", "request"})
_LIST = frozenset({"joins"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """Both parts as signed, not yet verified. `received_at`: when the hub says that it came, epoch seconds."""

    invitation: str = field(repr=False)
    request: str = field(repr=False)
    received_at: int = 0

    def to_json(self) -> bytes:
        """The body of the request."""
        return orjson.dumps({"v": VERSION, "invitation": self.invitation, "request": self.request})

    @classmethod
    def from_json(cls, body: bytes) -> "Joining":
        """Raises MalformedMessage."""
        claims = read_claims(body, max_bytes=MAX_JOINING_BYTES)
        only(claims, _JOINING)
        if integer(claims, "v") != VERSION:
            raise MalformedMessage("a request to join of another version")
        return _parts(claims, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedJoining:
    """What asks to join, and the invitation that it came with. It proves nothing of who that is (join.py)."""

    invitation: Invitation
    request: JoinRequest
    token: str = field(repr=False)
    received_at: int

    @property
    def key(self) -> VerifyKey:
        """The one key that is to be listed."""
        return self.request.member.keys[0].key


def verify_joining(
    joining: Joining, *, operator_key: VerifyKey, federation: str, now: float, invited_now: float | None
) -> VerifiedJoining:
    """Check both parts; `invited_now` None: the invitation was in time when the hub took it.

    (1) the invitation is this operator's, to this federation   (2) the request, as every request to join
    (3) it asks to be the kind of agency that was invited
    Raises MalformedMessage, NotAuthentic, NotForUs, OutOfTime.
    """
    # (1)
    invitation = verify_invitation(
        joining.invitation, operator_key=operator_key, federation=federation, now=invited_now
    )
    # (2)
    request = verify_join(joining.request, federation=federation, now=now)
    # (3)
    if (request.member.type, request.member.sector) != (invitation.type, invitation.sector):
        raise NotForUs("a request to join as another kind of agency than was invited")
    return VerifiedJoining(
        invitation=invitation, request=request, token=joining.request, received_at=joining.received_at
    )


def waiting_json(waiting: list[Joining]) -> bytes:
    """What a hub keeps for the operator."""
    listed = [
        {"received_at": each.received_at, "invitation": each.invitation, "request": each.request} for each in waiting
    ]
    return orjson.dumps({"joins": listed})


def read_waiting(data: bytes) -> list[Joining]:
    """The inverse of `waiting_json`; raises MalformedMessage."""
    claims = read_claims(data, max_bytes=MAX_JOINS_BYTES)
    only(claims, _LIST)
    entries = array(claims, "joins", dict, maximum=MAX_WAITING_JOINS)
    for entry in entries:
        only(entry, _WAITING)
    return [_parts(entry, moment(entry, "received_at")) for entry in entries]


def verified_of(
    waiting: list[Joining], *, operator_key: VerifyKey, federation: str, now: float
) -> tuple[list[VerifiedJoining], int]:
    """Those that hold, and how many do not: a hub's word is not believed, and one bad entry costs no other."""
    held: list[VerifiedJoining] = []
    for each in waiting:
        try:
            held.append(
                verify_joining(each, operator_key=operator_key, federation=federation, now=now, invited_now=None)
            )
        except WireError:
            continue
    return held, len(waiting) - len(held)


def _parts(claims: Claims, received_at: int) -> Joining:
    return Joining(
        invitation=text(claims, "invitation", max_chars=MAX_INVITATION_BYTES),
        request=text(claims, "request", max_chars=MAX_JOIN_BYTES),
        received_at=received_at,
    )
