"""A node that opens the link to its hub itself, and has no port: its end of the link, and what it answers with."""

import asyncio
from collections.abc import Callable

from gateway.app.node import Node, answer_door_of
from gateway.links.dial import Dialler


async def keep_linked(node: Node) -> None:
    """Keep a link to the node's hub until cancelled; answers that are under way then may end."""
    door = answer_door_of(node)
    parts = node.parts

    async def answer(authorisation: str, envelope: bytes, still_there: Callable[[], bool]) -> bytes:
        async def read_body() -> bytes:
            return envelope

        return await door.answer_delivery(authorisation, read_body, still_there=still_there)

    dialler = Dialler(
        node.session,
        node.settings.federation[0].hubs[0],
        member=parts.me.member,
        federation=parts.me.federation,
        key=parts.me.signing_key,
        clock=parts.clock,
        answer=answer,
        hear=parts.membership.hear,
        most=node.settings.node.max_in_flight,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(door.keep_measuring())
        group.create_task(dialler.keep())
