"""What docs/policy.md shows of `agreement lint` and `diff` is what they print."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import application

ROOT = Path(__file__).parents[2]
BEFORE = ROOT / "config" / "agreements" / "children-and-families.toml"
NO_FOOD_BANK = """
[[rule]]
id = "no-food-bank"
effect = "deny"
purposes = ["COC"]
lawful_bases = ["consent", "public-task", "legal-obligation"]
recipients = ["*"]
services = ["*"]
sensitivity = ["R", "V"]
"""


def within(text: str, rule: str, old: str, new: str) -> str:
    """The agreement with one change in one rule."""
    before, found, after = text.partition(f'id = "{rule}"')
    assert found
    assert old in after
    return before + found + after.replace(old, new, 1)


def draft(folder: Path) -> Path:
    """The version that the page's reader is about to sign."""
    text = BEFORE.read_text().replace('version = "1.0"', 'version = "1.1"') + NO_FOOD_BANK
    text = within(text, "shielded-services-with-consent", 'min_auth = "mfa"', 'min_auth = "password"')
    text = within(text, "safeguarding-housing-reviewed", '["police-force"]', '["police-force", "local-authority"]')
    file = folder / "draft.toml"
    file.write_text(text)
    return file


def sample(command: str) -> list[str]:
    """What the page shows under a command."""
    _, found, after = (ROOT / "docs" / "policy.md").read_text().partition(f"$ patchwork agreement {command}\n")
    assert found
    return after.partition("```")[0].splitlines()


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ("lint draft.toml", ["lint", "{draft}"]),
        ("diff children-and-families.toml draft.toml", ["diff", str(BEFORE), "{draft}"]),
    ],
)
def test_the_page_shows_what_is_printed(tmp_path: Path, shown: str, words: list[str]) -> None:
    file = str(draft(tmp_path))
    arguments = ["agreement", *(word.replace("{draft}", file) for word in words)]
    printed = CliRunner().invoke(application(), arguments, env={"COLUMNS": "80"}).stdout
    assert [line.rstrip() for line in printed.splitlines()] == sample(shown)
