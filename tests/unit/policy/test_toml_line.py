"""On which line of a draft an error's key stands."""

import pytest

from gateway.errors import ConfigurationError
from gateway.policy.agreement import read_agreement
from gateway.policy.toml_line import line_of
from tests.federation import AGREEMENT

TEXT = AGREEMENT.read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('version = "1"', "version = 1", "version = 1"),
        ('mode = "practitioner"', 'mode = "all"', 'mode = "all"'),
        ('name = "All"', "name = 0", "name = 0"),
        ('value = "tests-1"', "value = 1", "identifier ="),
        ('effect = "permit"', 'effect = "allow"', 'effect = "allow"'),
    ],
)
def test_the_line_that_has_to_be_mended_is_found(old: str, new: str, expected: str) -> None:
    text = TEXT.replace(old, new, 1)
    with pytest.raises(ConfigurationError) as refused:
        read_agreement(text.encode(), "draft")
    line = line_of(text, str(refused.value))
    assert line is not None
    assert expected in text.splitlines()[line - 1]


@pytest.mark.parametrize(
    "message",
    [
        "",
        ": ",
        "draft: rule id coordination is used twice",
        "draft: [[rule]]: x",
        "rule 999: id",
        "rule (.*: mode",
        "party : a" * 50,
    ],
)
def test_a_message_that_names_nothing_has_no_line(message: str) -> None:
    assert line_of(TEXT, message) is None
