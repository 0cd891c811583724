"""One Medplum validator for the whole session: starting it takes a second."""

import os
from collections.abc import Iterator

import pytest

from tests.fhir.validators import Medplum, running_medplum
from tests.npm_packages import PackagesMissing


@pytest.fixture(scope="session")
def medplum() -> Iterator[Medplum]:
    """Skips where its packages cannot be installed, but not under CI."""
    try:
        with running_medplum() as validator:
            yield validator
    except PackagesMissing as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
