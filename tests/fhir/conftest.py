"""One Medplum validator for the whole session: starting it takes a second."""

from collections.abc import Iterator

import pytest

from tests.fhir.validators import Medplum, running_medplum


@pytest.fixture(scope="session")
def medplum() -> Iterator[Medplum]:
    with running_medplum() as validator:
        yield validator
