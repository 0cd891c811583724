"""A node that opens the link to each of its hubs itself, and has no port: its end, and what it answers with."""

import asyncio
from collections.abc import Callable
from functools import partial

from gateway.app.node import Node, answer_door_of
from gateway.links.dial import Dialler
from gateway.node.admission import Admission
from gateway.wire.link_frames import QuestionFrame


async def keep_linked(node: Node, admission: Admission) -> None:
    """Keep a link to each of the node's hubs until cancelled; then say farewell, and let answers under way end."""
    door = answer_door_of(node, admission)
    parts = node.parts

    async def answer(question: QuestionFrame, still_there: Callable[[], bool]) -> bytes:
        async def read_body() -> bytes:
            return question.envelope

        return await door.answer_delivery(
            question.authorisation, read_body, still_there=still_there, traceparent=question.traceparent
        )

    diallers = [
        Dialler(
            node.session,
            hub,
            member=parts.me.member,
            federation=parts.me.federation,
            key=lambda: parts.me.signing_key,
            clock=parts.clock,
            hub_key=partial(parts.membership.hub_key, hub.rstrip("/")),
            answer=answer,
            hear=parts.membership.hear,
            most=node.settings.node.max_in_flight,
            listed=parts.membership.listed,
            linked=partial(parts.watch.linked, hub),
        )
        for hub in node.settings.federation[0].hubs
    ]
    async with asyncio.TaskGroup() as group:
        group.create_task(door.keep_measuring())
        for dialler in diallers:
            group.create_task(dialler.keep())
