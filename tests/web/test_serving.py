"""A node that serves with a `[web]` table serves its pages too, keeps their tables tidy, and stops as a whole."""

import asyncio
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from gateway.accounts.account import Role
from gateway.accounts.sessions import sessions_of
from gateway.app import serve_node
from gateway.app.web import listen_pages
from gateway.database.contract import Statement, Work
from gateway.errors import StorageError
from gateway.settings import load_node
from gateway.web import tidying
from gateway.web.site import Site
from gateway.web.tidying import keep_tidy
from tests.federation import federation

HOUSING = "housing"


def how_many() -> Work[int]:
    ((count,),) = yield Statement("SELECT count(*) FROM session")
    return int(count)


async def test_pages_are_served_with_the_node_and_stop_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = asyncio.Event()
    monkeypatch.setattr(serve_node, "until_stopped", stop.wait)
    monkeypatch.setattr(serve_node, "configure_logging", lambda: None)
    monkeypatch.setattr(serve_node, "collect_rarely", lambda: None)
    async with federation(tmp_path, [HOUSING], web=True) as north:
        monkeypatch.setattr(serve_node, "listen_pages", partial(listen_pages, built=north.built))
        wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
        await north.stop(HOUSING)
        config = tmp_path / HOUSING / "node.toml"
        served = asyncio.create_task(serve_node.serve_node(load_node(config), config=config, clock=north.clock))
        page = None
        while page is None and not served.done():
            try:
                page = await wendy.get("/account")
            except OSError:
                await asyncio.sleep(0.05)
        if page is None:
            await served  # it ended by itself, and says why
        assert page is not None
        assert (page.status, "Wendy Smith" in page.words) == (200, True)
        stop.set()
        await served
        with pytest.raises(OSError, match="Connect"):
            await wendy.get("/account")


@pytest.mark.parametrize("fault", [StorageError("web.db: full"), OSError("read-only"), ValueError("a fault")])
async def test_what_cannot_be_tidied_now_ends_nothing_and_is_tried_again(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0
    again = asyncio.Event()

    async def failing(_: object) -> None:
        nonlocal tries
        tries += 1
        if tries > 1:
            again.set()
        raise fault

    monkeypatch.setattr(tidying, "tidy", failing)
    monkeypatch.setattr(tidying, "TIDY_EVERY_S", 0.0)
    tidying_task = asyncio.create_task(keep_tidy(cast("Site", None)))
    async with asyncio.timeout(5):
        await asyncio.wait([tidying_task, asyncio.create_task(again.wait())], return_when=asyncio.FIRST_COMPLETED)
    assert not tidying_task.done()
    tidying_task.cancel()


async def test_sessions_that_have_ended_do_not_stay_in_the_database(tmp_path: Path) -> None:
    async with federation(tmp_path, [HOUSING], web=True) as north:
        wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
        site = north.pages[HOUSING].site
        north.clock.turn(24 * 3600)
        assert wendy.account is not None
        assert not await site.database.read(sessions_of(wendy.account.id, site.session_limits, north.clock.now()))
        tidying = asyncio.create_task(keep_tidy(site))
        async with asyncio.timeout(5):
            while await site.database.read(how_many()):  # noqa: ASYNC110 - no event tells of a row that has gone
                await asyncio.sleep(0.01)
        tidying.cancel()
        await asyncio.wait([tidying])
