"""The federation that tests of the wire share; its folder of keys is the test's own."""

from pathlib import Path

import pytest

from tests.unit.wire.parties import Asked, Parties, ask, make_parties


@pytest.fixture
def parties(tmp_path: Path) -> Parties:
    return make_parties(tmp_path / "parties")


@pytest.fixture
def asked(parties: Parties) -> Asked:
    return ask(parties)
