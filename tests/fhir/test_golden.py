"""One Bundle per mode, as it leaves: word for word, and valid for all three judges."""

import json

import pytest

from gateway.wire.answer import NOTHING_TO_DISCLOSE, Disclosure
from mappings.vocabulary import Mode
from tests.fhir.teams import GOLDEN, HEALTH_VISITOR, disclosed, team
from tests.fhir.validators import GOLDEN_FOLDER, Json, Medplum, verdicts


def _golden(name: str) -> Json:
    bundle: Json = json.loads((GOLDEN_FOLDER / f"{name}.json").read_bytes())
    return bundle


@pytest.mark.parametrize("name", GOLDEN)
def test_answer_is_the_golden_bundle(name: str) -> None:
    answer = disclosed(*GOLDEN[name])
    assert isinstance(answer, Disclosure)
    assert json.loads(answer.bundle) == _golden(name)
    assert answer.truncated is (name == "truncated")


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_bundle_satisfies_every_judge(name: str, medplum: Medplum) -> None:
    assert verdicts(_golden(name), medplum) == {"models": [], "medplum": [], "ours": []}


@pytest.mark.parametrize("mode", [Mode.CALLBACK])
def test_callback_shows_nothing_at_all(mode: Mode) -> None:
    assert disclosed(team(HEALTH_VISITOR), {0: mode}) is NOTHING_TO_DISCLOSE


def test_every_golden_file_is_made_by_a_case() -> None:
    assert {path.stem for path in GOLDEN_FOLDER.glob("*.json")} == set(GOLDEN)
