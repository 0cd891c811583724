"""A member is asked over the link that its node has opened, or else at its endpoint."""

from gateway.links.contract import Delivery, Link
from gateway.links.delivery import NOT_LINKED, OVERLOADED
from gateway.links.siblings import Siblings
from gateway.links.websocket import WebSocketLink
from gateway.wire.federation import Member
from gateway.wire.request import HashedBody


class EitherLink:
    """All links as one; which it is, is decided once for each question, before anything of it is sent.

    `siblings`: the other processes of this hub, asked for a link if this one has none with room.
    """

    def __init__(self, *, https: Link, websocket: WebSocketLink, siblings: Siblings | None = None) -> None:
        self._https = https
        self._websocket = websocket
        self._siblings = siblings

    async def deliver(self, member: Member, envelope: HashedBody) -> Delivery:
        """See Link."""
        here = self._websocket.holds(member.id)
        elsewhere = self._siblings is not None and self._siblings.holds(member.id)
        if here and not (elsewhere and self._websocket.with_room(member.id) is None):
            return await self._websocket.deliver(member, envelope)
        if self._siblings is not None and elsewhere:
            delivery = await self._siblings.deliver(member, envelope)
            return OVERLOADED if here and delivery is NOT_LINKED else delivery  # the full link here is the last
        if member.endpoint is None:
            return NOT_LINKED
        return await self._https.deliver(member, envelope)

    async def close(self) -> None:
        """Close every connection."""
        await self._websocket.close()
        if self._siblings is not None:
            await self._siblings.close()
        await self._https.close()
