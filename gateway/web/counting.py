"""What is done with a search that is over: it is counted, and no more than that."""

import logging
from collections.abc import Awaitable, Callable

from gateway.clock import Clock
from gateway.database.contract import Database
from gateway.errors import PatchworkError
from gateway.events import emit
from gateway.web.coverage import Coverage
from gateway.web.figure_counts import count_search
from gateway.web.searches import Search


def counting(coverage: Coverage, database: Database, clock: Clock) -> Callable[[Search], Awaitable[None]]:
    """For Searches: count who answered, and the search for the figures; a count that cannot be kept stops nobody."""

    async def counted(search: Search) -> None:
        now = clock.now()
        coverage.take(search.results, now)
        try:
            await database.write(count_search(search.question.practitioner.id, search.results, now))
        except PatchworkError as error:
            emit("figure.not_counted", level=logging.WARNING, code=error.code)

    return counted
