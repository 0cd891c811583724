"""Bundles that are saved for other software are FHIR; what is not is left out, and nothing of it is said."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.cli.save import save_bundles
from gateway.node.results import MemberOutcome, MemberResult
from tests.fhir.teams import TRUST

TESTS = Path(__file__).parents[1]


def result(member: str, bundle: Path | bytes | None) -> MemberResult:
    """What a member sent."""
    content = bundle.read_bytes() if isinstance(bundle, Path) else bundle
    named = replace(TRUST, id=member, name=f"The {member}")
    return MemberResult(member=named, outcome=MemberOutcome.TEAMS, bundle=content)


GOOD = TESTS / "golden" / "bundles" / "schedule.json"


def test_bundles_are_saved_by_member_for_this_user_alone(tmp_path: Path) -> None:
    assert save_bundles(tmp_path / "answers", [result("trust", GOOD), result("school", None)])
    (saved,) = (tmp_path / "answers").iterdir()
    assert saved.name == "trust.json"
    assert json.loads(saved.read_bytes()) == json.loads(GOOD.read_bytes())
    assert (saved.stat().st_mode & 0o777, saved.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    "bad",
    [
        TESTS / "vectors" / "fhir" / "hostile" / "wrong_types_everywhere.json",
        TESTS / "vectors" / "fhir" / "broken" / "unknown_element.json",
        b'{"resourceType": "Patient", "name": [{"family": "Quillfeather"}]}',
        b"[]",
    ],
    ids=["wrong types", "unknown element", "no Bundle", "no object"],
)
def test_what_is_not_fhir_is_left_out_and_said_by_the_members_name_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: Path | bytes
) -> None:
    assert not save_bundles(tmp_path, [result("school", bad), result("trust", GOOD)])
    assert [path.name for path in tmp_path.iterdir()] == ["trust.json"]
    assert capsys.readouterr().err == "The school: what it sent is not a FHIR Bundle, and is not saved\n"


def test_a_command_that_saves_nothing_does_not_load_the_models() -> None:
    code = "import gateway.cli, sys; sys.exit(any(name.startswith('fhir') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=TESTS.parent, check=False).returncode == 0  # noqa: S603 - own
