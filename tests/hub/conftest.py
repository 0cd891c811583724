"""Fixtures shared by the hub's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.links.https import HttpsLink
from tests.hub.kit import Federated, federated


@pytest.fixture
def federation(tmp_path: Path) -> Federated:
    """A federation whose only member asks."""
    return federated(tmp_path)


@pytest.fixture
async def link(federation: Federated) -> AsyncIterator[HttpsLink]:
    """The hub's link as it is by default."""
    link = HttpsLink(key=lambda: federation.hub_key, clock=federation.clock)
    yield link
    await link.close()
