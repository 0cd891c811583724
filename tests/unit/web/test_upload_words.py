"""Reasons for which a row is left out are put into words by what mappings and node/ say: it has to be what they say."""

from pathlib import Path

import gateway
from gateway.web.upload_words import REASONS

ROOT = Path(gateway.__file__).parent.parent
SAYING = ("mappings", "connectors", "gateway/node")


def test_each_reason_that_has_words_is_one_that_something_gives() -> None:
    said = "".join(path.read_text() for folder in SAYING for path in (ROOT / folder).rglob("*.py"))
    assert [reason for reason in REASONS if f'"{reason}"' not in said] == []
