"""A member is asked over the link that its node has opened, or else at its endpoint."""

from gateway.links.contract import Delivery, Link
from gateway.links.websocket import NOT_LINKED, WebSocketLink
from gateway.wire.federation import Member
from gateway.wire.request import HashedBody


class EitherLink:
    """Both links as one; which it is, is decided once for each question, before anything of it is sent."""

    def __init__(self, *, https: Link, websocket: WebSocketLink) -> None:
        self._https = https
        self._websocket = websocket

    async def deliver(self, member: Member, envelope: HashedBody) -> Delivery:
        """See Link."""
        if self._websocket.holds(member.id):
            return await self._websocket.deliver(member, envelope)
        if member.endpoint is None:
            return NOT_LINKED
        return await self._https.deliver(member, envelope)

    async def close(self) -> None:
        """Close every connection."""
        await self._websocket.close()
        await self._https.close()
