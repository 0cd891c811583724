"""What is typed wrongly is told beside the box that it was typed into."""

from typing import Any

import pytest

from gateway.errors import InputError
from gateway.node.question import read_subject


@pytest.mark.parametrize(
    ("field", "details"),
    [
        ("name", {}),
        ("name", {"name": "x" * 201}),
        ("name", {"name": "Kate\x1b[2J"}),
        ("born", {"name": "Kate", "born": "31/02/1991"}),
        ("born", {"name": "Kate", "born": "1991-13"}),
        ("born", {"name": "Kate", "born": "200"}),
        ("born", {"name": "Kate", "born": "yesterday"}),
        ("postcode", {"name": "Kate", "postcode": "not one"}),
        ("nhs", {"name": "Kate", "nhs": "9990000001"}),
    ],
)
def test_an_error_names_the_field_to_mend(field: str, details: dict[str, Any]) -> None:
    with pytest.raises(InputError) as refused:
        read_subject(**{"name": "", **details})
    assert refused.value.field == field
    assert "Kate" not in str(refused.value)
