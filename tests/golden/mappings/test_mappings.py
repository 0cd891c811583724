"""Each mapping that comes with Patchwork, with an example export: all that it yields is in expected.json.

A new agency is one mapping and two files here. When a difference is intended, look at it and write the file anew:

    python -c "from tests.golden.mappings import test_mappings as t; t.write_expected('demo_housing')"
"""

import json
import sqlite3
from contextlib import closing
from dataclasses import MISSING, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Connector, Cursor, Rejected
from connectors.registry import build
from mappings.engine import apply
from mappings.model import Mapped, type_names
from mappings.spec import MappingSpec, load
from mappings.vocabulary import Mode

HERE = Path(__file__).parent
SYSTEMS = sorted(folder.name for folder in HERE.iterdir() if (folder / "expected.json").exists())


def opened(system: str, scratch: Path) -> tuple[MappingSpec, Connector]:
    spec = load(system)
    export = next((HERE / system).glob("input.*"))
    location: dict[str, object] = {"path": export}
    if export.suffix == ".sql":
        database = scratch / "input.sqlite"
        with closing(sqlite3.connect(database)) as connection:
            connection.executescript(export.read_text(encoding="utf-8"))
        location = {"url": f"sqlite:///{database}"}
    return spec, build(spec.connector, {**spec.options, **location}, expects=spec.columns)


def plain(value: Any) -> Any:
    """A model value as JSON: what has its default is left out."""
    if isinstance(value, Mode):
        return value.code
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, str | int | None):
        return str(value) if isinstance(value, StrEnum) else value
    return {
        field.name: plain(getattr(value, field.name))
        for field in fields(value)
        if field.default is MISSING or getattr(value, field.name) != field.default
    }


def shown(made: Mapped) -> dict[str, Any]:
    return {"is": next(name for name, kind in type_names.items() if kind is type(made)), **plain(made)}


def outcome(system: str, scratch: Path) -> dict[str, Any]:
    spec, connector = opened(system, scratch)
    records: list[dict[str, Any]] = []
    for item in connector.records(None):
        if isinstance(item, Cursor):
            continue
        if isinstance(item, Rejected):
            records.append({"where": item.where, "rejected": f"{item.field}: {item.reason}".removeprefix(": ")})
            continue
        objects, issues = apply(spec, item.kind, item.fields)
        record: dict[str, Any] = {"where": item.where, "key": item.key, "objects": [shown(made) for made in objects]}
        if issues:
            record["issues"] = [
                f"{'rejects: ' if issue.rejects else ''}{issue.field}: {issue.reason}" for issue in issues
            ]
        records.append(record)
    return {"fixed": [shown(made) for made in spec.fixed], "records": records}


def write_expected(system: str) -> None:
    import tempfile  # noqa: PLC0415 - needed by hand only

    with tempfile.TemporaryDirectory() as scratch:
        text = json.dumps(outcome(system, Path(scratch)), indent=1, ensure_ascii=False)
    (HERE / system / "expected.json").write_text(text + "\n", encoding="utf-8")


@pytest.mark.parametrize("system", SYSTEMS)
def test_export_yields_the_expected_objects_and_issues(system: str, tmp_path: Path) -> None:
    expected = json.loads((HERE / system / "expected.json").read_text(encoding="utf-8"))
    assert outcome(system, tmp_path) == expected


def test_every_mapping_that_is_shipped_has_an_example() -> None:
    shipped = {path.stem for path in (Path(__file__).parents[3] / "mappings" / "systems").glob("*.toml")}
    assert shipped == set(SYSTEMS)


@pytest.mark.parametrize("system", SYSTEMS)
def test_issues_never_quote_what_the_export_holds(system: str, tmp_path: Path) -> None:
    spec, connector = opened(system, tmp_path)
    for item in connector.records(None):
        if isinstance(item, Cursor | Rejected):
            continue
        _, issues = apply(spec, item.kind, item.fields)
        words = {word for word in leaves(item.fields) if len(word) > 5}
        for issue in issues:
            assert not [word for word in words if word in issue.reason]


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [value] if isinstance(value, str) else []
