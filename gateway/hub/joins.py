"""Requests to join that came by an invitation, kept until the operator has fetched them or their time is over.

Bounded in number, and each comes by an invitation that the operator has signed: a stranger stores nothing.
"""

from gateway.database.contract import Database, Statement, Work
from gateway.errors import Overloaded, Replayed
from gateway.wire.federation import Federation
from gateway.wire.join_code import Joining, VerifiedJoining, waiting_json
from gateway.wire.limits import MAX_MEMBERS, MAX_WAITING_JOINS


class Joins:
    """The table `join_request`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, joining: VerifiedJoining, document: Federation, *, now: float) -> None:
        """Keep one; the same key again is as welcome as before, and what it says of itself last counts.

        Raises Replayed if the invitation has brought another key, Overloaded if too many wait, StorageError.
        """
        await self._database.write(_keep(joining, _listed(document), int(now)))

    async def waiting(self, document: Federation, *, now: float) -> bytes:
        """As JSON, oldest first: those whose key no document has listed. Raises StorageError."""
        return waiting_json(await self._database.read(waiting_joins(document, now)))


def waiting_joins(document: Federation, now: float) -> Work[list[Joining]]:
    """Requests by keys that no document has listed, the oldest first, as many as one reply may hold."""
    listed = _listed(document)
    rows = yield Statement(
        "SELECT kid, signed, request, received_at FROM join_request WHERE expires_at > ? AND NOT listed"
        " ORDER BY received_at, kid",
        (int(now),),
    )
    waiting = [
        Joining(invitation=signed, request=request, received_at=received_at)
        for kid, signed, request, received_at in rows
        if kid not in listed
    ]
    return waiting[:MAX_WAITING_JOINS]


def mark_listed(document: Federation) -> Work[None]:
    """Those whose key the document lists wait no more, also when a later one has taken that key out again."""
    listed = _listed(document)
    for (kid,) in (yield Statement("SELECT kid FROM join_request WHERE NOT listed")):
        if kid in listed:
            yield Statement("UPDATE join_request SET listed = 1 WHERE kid = ?", (kid,))


def _listed(document: Federation) -> frozenset[str]:
    return frozenset(key.key.kid for member in document.members.values() for key in member.keys)


def _keep(joining: VerifiedJoining, listed: frozenset[str], now: int) -> Work[None]:
    invitation, kid = joining.invitation, joining.key.kid
    yield Statement("DELETE FROM join_request WHERE expires_at <= ?", (now,))
    rows = yield Statement("SELECT invitation, kid, listed FROM join_request")
    held = {of: kid for of, kid, _ in rows}
    if held.get(invitation.id, kid) != kid:
        raise Replayed("this invitation has brought another key already")
    if invitation.id not in held and (
        len(held) >= MAX_MEMBERS
        or sum(not admitted and other not in listed for _, other, admitted in rows) >= MAX_WAITING_JOINS
    ):
        raise Overloaded("too many requests to join wait for the operator")
    yield Statement(
        "INSERT INTO join_request (invitation, kid, signed, request, issued_at, received_at, expires_at, listed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (invitation) DO UPDATE"
        " SET request = excluded.request, issued_at = excluded.issued_at, expires_at = excluded.expires_at"
        " WHERE excluded.issued_at > join_request.issued_at",
        (
            invitation.id,
            kid,
            invitation.token,
            joining.token,
            joining.request.issued_at,
            now,
            max(invitation.expires_at, joining.request.expires_at),
            int(kid in listed),
        ),
    )
