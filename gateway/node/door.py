"""Where questions come in, whichever link brings them: POST /v1/answers, or a frame of a link that this node opened.

An answer leaves at arrival + D whatever it says; one that is late leaves at the next multiple of D. Whoever is too
busy says so before anything is opened, so that neither depends on a person (docs/wire.md, "Answer").
"""

import asyncio
import math
from collections.abc import Callable

from gateway.errors import Overloaded
from gateway.events import emit
from gateway.links.body import ReadBody
from gateway.node.admission import Admission
from gateway.node.answer import answer
from gateway.node.callers import from_hub, known_caller
from gateway.node.once import OnlyOnce
from gateway.node.parts import NodeParts
from gateway.wire.envelope import MemberEnvelope
from gateway.wire.paths import ANSWERS_PATH
from gateway.wire.request import VerifiedHeader

# What leaves so soon is in time whatever the deadline: that is the hub's word, and a short one would excuse the hub for
# dropping it. What leaves later must be so long before the deadline, or an honest hub may miss it.
IN_TIME_S = 1.0
MARGIN_S = 0.5


class AnswerDoor:
    """One per process: all links share its places."""

    def __init__(self, node: NodeParts, *, answer_delay_ms: int, admission: Admission) -> None:
        self._node = node
        self._delay_s = answer_delay_ms / 1000
        self._admission = admission
        self._seen = OnlyOnce(node.clock)

    async def keep_measuring(self) -> None:
        """Measure the machine's speed, by which questions are admitted, until cancelled."""
        await self._admission.keep_measuring()

    async def answer_delivery(
        self, authorisation: str, read_body: ReadBody, *, still_there: Callable[[], bool], traceparent: str = ""
    ) -> bytes:
        """Answer one question of the hub's, sealed; `still_there`: whether the hub can take it. Raises PatchworkError.

        A place is taken only once the hub is proven: nobody else can make this node look busy, or see that it is. The
        time runs from the last byte of the question: who could begin it early and end it late would choose how near to
        the release the work is done, and learn from a missed one how long it took.
        """
        header = self._authorise(authorisation)
        self._must_have_place()
        body = await read_body()
        arrived = asyncio.get_running_loop().time()
        self._seen.check(header.with_body(body))
        envelope = MemberEnvelope.from_json(body)
        self._must_have_place()
        self._admission.take()
        try:
            try:
                sealed = await answer(envelope, node=self._node)
            finally:
                periods = await self._release_time(arrived)
        finally:
            self._admission.free()
        passed = asyncio.get_running_loop().time() - arrived
        if passed > max(IN_TIME_S, envelope.deadline_ms / 1000 - MARGIN_S) or not still_there():
            # No hub is to blame if the asker does not have it.
            self._node.ledger.note_late(envelope.sender, envelope.id)
        emit("answer.released", jti=envelope.id, member=envelope.sender)
        self._node.watch.released(
            asker=envelope.sender, question=envelope.id, traceparent=traceparent, seconds=passed, periods=periods
        )
        return sealed

    def check(self) -> None:
        """Raises Stopping once nobody new is let in."""
        self._admission.check()

    def _must_have_place(self) -> None:
        if self._admission.full:
            raise Overloaded("more questions are under way than this node answers at once")

    def _authorise(self, authorisation: str) -> VerifiedHeader:
        """Only the federation's hub may deliver, and only its body is read; raises WireError or FederationError."""
        return known_caller(
            authorisation,
            from_hub,
            membership=self._node.membership,
            method="POST",
            path=ANSWERS_PATH,
            aud=self._node.me.member,
            now=self._node.clock.now(),
        )

    async def _release_time(self, arrived: float) -> int:
        """Sleep until the next multiple of D after arrival; returns which one."""
        passed = asyncio.get_running_loop().time() - arrived
        periods = max(1, math.ceil(passed / self._delay_s))
        await asyncio.sleep(periods * self._delay_s - passed)
        return periods
