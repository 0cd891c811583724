"""One browser for all tests of a process, which share an event loop for it; each opens its own visit in it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.chromium import chromium, launch
from tests.browser.visit import FOLDER
from tests.npm_packages import PackagesMissing, packages_of

expect.set_options(timeout=20_000)  # ms: on a machine that runs other tests as well


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, for tests marked `pytest.mark.asyncio(loop_scope="session")`; skips where there is none."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium or Chrome on this machine: make test gets it, or says how")
    try:
        packages_of(FOLDER)  # axe
    except PackagesMissing as error:
        pytest.skip(str(error))
    async with async_playwright() as playwright:
        running = await launch(playwright, path)
        yield running
        await running.close()
