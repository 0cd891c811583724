"""Letting go of what has run out, sessions, links and notices say. Answers never wait for it, nor end with it."""

import asyncio
import logging
from typing import Final

from gateway.accounts import alerts, attention, feedback, links, notices, problems, sessions, throttle
from gateway.database.contract import Work
from gateway.errors import PatchworkError, logged
from gateway.events import emit
from gateway.web import client_seen, figure_counts, guesses, reach
from gateway.web.site import Site
from gateway.web.told import end_invitations

TIDY_EVERY_S: Final = 600.0


async def keep_tidy(site: Site) -> None:
    """Tidy from time to time; runs until cancelled. What could not be removed, on a full disk say, is tried again."""
    while True:
        try:
            await tidy(site)
        except PatchworkError as error:
            emit("web.tidy_failed", level=logging.WARNING, **logged(error))
        except Exception as error:  # a fault of ours stops no answers
            emit("web.tidy_failed", level=logging.ERROR, **logged(error))
        await asyncio.sleep(TIDY_EVERY_S)


async def tidy(site: Site) -> None:
    """Do so once. Raises StorageError, and OSError for uploaded files."""

    def work() -> Work[list[str]]:
        now = site.now()
        yield from throttle.sweep(now)
        yield from links.sweep(now)
        yield from client_seen.sweep(now)
        yield from reach.sweep(now)
        yield from figure_counts.sweep(now)
        yield from guesses.sweep(now)
        yield from end_invitations(site)
        yield from notices.sweep(now)
        yield from attention.sweep(site.today())
        yield from alerts.sweep(now)
        yield from problems.sweep(now)
        yield from feedback.sweep(now)
        return (yield from sessions.sweep(site.session_limits, now))

    site.end_sessions(await site.database.write(work()))
    await site.uploads.tidy(site.now())
