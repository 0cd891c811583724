"""How much is under way, for whoever wants to stop once nothing is."""

import asyncio


class UnderWay:
    """A count, and the wait until it is nought."""

    def __init__(self) -> None:
        self.count = 0
        self._none = asyncio.Event()
        self._none.set()

    def begin(self) -> None:
        """One more."""
        self.count += 1
        self._none.clear()

    def end(self) -> None:
        """One less."""
        self.count -= 1
        if not self.count:
            self._none.set()

    async def ended(self, within_s: float) -> bool:
        """Wait until nothing is under way; False if something still is after `within_s`."""
        try:
            async with asyncio.timeout(within_s):
                await self._none.wait()
        except TimeoutError:
            return False
        return True
