"""docs/connecting-a-case-system.md: its worked example does what it says, and it names every option there is."""

import re
from pathlib import Path

from connectors.contract import SourceRecord
from connectors.registry import build
from mappings.engine import apply
from mappings.model import Involvement, Mapped, Person, Practitioner, Service
from mappings.rules import ATTRIBUTES
from mappings.spec import load

PAGE = (Path(__file__).parents[3] / "docs" / "connecting-a-case-system.md").read_text(encoding="utf-8")


def example(name: str) -> str:
    found = re.search(rf"<!-- example: {re.escape(name)} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"the page has no example {name}"
    return found[1]


def test_worked_example_yields_what_the_page_says(tmp_path: Path) -> None:
    for name in ("members.csv", "youth_club.toml"):
        (tmp_path / name).write_text(example(name), encoding="utf-8")
    mapping = load(tmp_path / "youth_club.toml")
    source = build(mapping.connector, {**mapping.options, "path": tmp_path / "members.csv"}, expects=mapping.columns)

    made: list[list[Mapped]] = []
    report = ""
    for item in source.records(None):
        if isinstance(item, SourceRecord):
            objects, issues = apply(mapping, item.kind, item.fields)
            made.append(objects)
            report += "".join(f"{item.where}, {issue.field}: {issue.reason}\n" for issue in issues)

    assert [type(fixed) for fixed in mapping.fixed] == [Service]
    assert [[type(each) for each in objects] for objects in made] == [
        [Person, Practitioner, Involvement],
        [Person, Practitioner, Involvement],
        [Person, Involvement],
    ]
    first, second, third = (objects[0] for objects in made)
    assert isinstance(first, Person)
    assert [name.given for name in first.names] == [("Frankie",), ("Fran",)]
    assert isinstance(second, Person)
    assert second.names[0].protected
    assert isinstance(third, Person)
    assert third.birth_date is None
    assert report == example("issues")


def test_page_names_every_object_and_attribute() -> None:
    for name, attributes in ATTRIBUTES.items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))
        for attribute, rule in attributes.items():
            assert f"`{attribute}`" in row
            assert (f"**`{attribute}`**" in row) is rule.required


def test_page_names_every_option_of_the_connectors() -> None:
    options = ("path", "encoding", "separator", "quote", "escape", "skip_lines", "url", "password_file")
    of_kinds = ("file", "key", "element", "table", "query", "version", "deleted")
    for option in (*options, *(f"kinds.<kind>.{name}" for name in of_kinds)):
        assert f"| `{option}` |" in PAGE
