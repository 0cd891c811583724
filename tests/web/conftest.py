"""One housing agency with pages, shared by the tests of a module; the clock stands still until a test turns it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.federation import TestFederation, federation
from tests.web.probe import probe_routes

HOUSING = "housing"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """The running federation; its pages have those of probe.py too."""
    with pytest.MonkeyPatch.context() as patch:
        probe_routes(patch)
        async with federation(tmp_path_factory.mktemp("north"), [HOUSING], web=True) as running:
            yield running
