"""One browser for each module, because it is bound to an event loop; each test opens its own visit in it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser.chromium import chromium, launch
from tests.browser.visit import FOLDER
from tests.npm_packages import PackagesMissing, packages_of


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, for tests marked `pytest.mark.asyncio(loop_scope="module")`; skips where there is none."""
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
