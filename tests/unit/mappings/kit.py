"""Small mappings for tests: a person, and whatever else a test says."""

from pathlib import Path

from mappings.spec import MappingSpec, load

HEAD = """
system = "test"
title = "Test"
missing = ["N/K"]
[source]
connector = "delimited"
"""
PERSON = """
[[map]]
from = "row"
type = "person"
key = ["id"]
names = [{ family = "surname", given = ["forename"] }]
"""


def spec(folder: Path, text: str, head: str = HEAD) -> MappingSpec:
    path = folder / "test.toml"
    path.write_text(head + text, encoding="utf-8")
    return load(path)
