"""How many questions a node takes at once: so many that their answers are ready well before they leave.

A late answer leaves a period later, and so tells a little of how much work the questions under way were. How many are
taken must itself tell nothing of anybody: it is measured on work that is about nobody, and a place is held until the
answer leaves, however early it was ready. The machine's speed is measured again and again, for other programs on it
(an import, a backup) slow a node down more than any question does.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from statistics import median

from gateway.errors import Stopping
from gateway.links.under_way import UnderWay
from gateway.wire.jws import sign, verify
from gateway.wire.keys import SigningKey
from gateway.wire.limits import ANSWER_BYTES, MAX_REQUEST_TOKEN_BYTES
from gateway.wire.seal import HybridPublicKey, ReplyKey, open_sealed, seal

MEASURE_EVERY_S = 1.0
MEASUREMENTS = 15  # that count: the last quarter of a minute
SHARE_OF_DELAY = 0.5  # of it the work may take
# An answer takes about this many times what `reference_work` takes (docs/benchmarks.md, "What was reached").
ANSWER_OVER_REFERENCE = 4.5


class Admission:
    """`most` places at once, or as many as this machine is fast enough for now, at least one."""

    def __init__(
        self,
        *,
        most: int,
        delay_s: float,
        measured: bool,
        share: float = 1.0,
        work: Callable[[], float] | None = None,
    ) -> None:
        """`measured` False: always `most`. `work` does the reference once and returns the seconds that it took.

        `share`: of what this machine is measured to be fast enough for; the rest is others'.
        """
        self._most = most
        self._delay_s = delay_s
        self._share = share
        self._work = (work or reference_work()) if measured else None
        self._took: deque[float] = deque(maxlen=MEASUREMENTS)
        self._taken = UnderWay()
        self._stopping = False
        self._places = most
        for _ in range(MEASUREMENTS if measured else 0):
            self.measure()

    @property
    def places(self) -> int:
        """How many may be under way now."""
        return self._places

    @property
    def full(self) -> bool:
        """Whether nobody more may come in."""
        return self._stopping or self._taken.count >= self._places

    def take(self) -> None:
        """Hold a place."""
        self._taken.begin()

    def free(self) -> None:
        """Give it back, once the answer leaves."""
        self._taken.end()

    def check(self) -> None:
        """Raises Stopping once nobody new is let in."""
        if self._stopping:
            raise Stopping("this node is stopping")

    def stop(self) -> None:
        """Let nobody new in; what is under way goes on."""
        self._stopping = True

    async def ended(self, within_s: float) -> bool:
        """Wait until every answer has left; False if one has not after `within_s`."""
        return await self._taken.ended(within_s)

    def measure(self) -> None:
        """Look how fast the machine is now; takes half a millisecond."""
        if self._work is None:
            return
        self._took.append(self._work())
        answer_s = ANSWER_OVER_REFERENCE * median(self._took)
        self._places = max(1, min(self._most, int(self._share * SHARE_OF_DELAY * self._delay_s / answer_s)))

    async def keep_measuring(self) -> None:
        """Measure until cancelled."""
        while True:
            await asyncio.sleep(MEASURE_EVERY_S)
            self.measure()


def reference_work() -> Callable[[], float]:
    """What every answer does, with keys of nobody's: open and seal, sign once and verify twice."""
    key, reply = SigningKey.generate(), ReplyKey.generate()
    public, keys = HybridPublicKey(reply.public), {key.kid: key.verify_key()}
    answer, claims = bytes(ANSWER_BYTES), {"text": "x" * 1000}

    def work() -> float:
        began = time.perf_counter()
        sealed = seal(answer, public, use="answer", federation="f", sender="s", recipient="r", jti="j")
        open_sealed(sealed, reply, use="answer", federation="f", sender="s", recipient="r", jti="j")
        token = sign(claims, typ="patchwork-reference+jwt", key=key)
        for _ in range(2):
            verify(token, typ="patchwork-reference+jwt", keys=keys, max_bytes=MAX_REQUEST_TOKEN_BYTES)
        return time.perf_counter() - began

    return work
