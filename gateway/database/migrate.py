"""Numbered SQL files into migrations: `sql/<engine>/<schema>/0001_people.sql`.

Forward only: a file that has been shipped never changes, and no migration is undone.
"""

import re
from dataclasses import dataclass
from importlib import resources

from gateway.errors import StorageError

SCHEMAS = ("node", "ledger", "keys", "hub", "web")  # their places give application ids: new ones go to the end

_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file: its number, its name and its statements as one text."""

    number: int
    name: str
    sql: str


def migrations(engine: str, schema: str) -> list[Migration]:
    """All migrations of a schema in order; raises StorageError if a file is misnamed or a number is missing."""
    folder = resources.files("gateway.database").joinpath("sql", engine, schema)
    if schema not in SCHEMAS or not folder.is_dir():
        raise StorageError(f"no migrations for schema {schema} on {engine}")
    found: list[Migration] = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        matched = _FILE_NAME.fullmatch(file.name)
        if matched is None or int(matched[1]) != len(found) + 1:
            raise StorageError(f"migration {engine}/{schema}/{file.name}: expected number {len(found) + 1:04}")
        found.append(Migration(number=int(matched[1]), name=file.name, sql=file.read_text("utf-8")))
    return found


def pending(engine: str, schema: str, applied: int) -> list[Migration]:
    """The migrations after number `applied`; raises StorageError if the database is newer than this program."""
    known = migrations(engine, schema)
    if applied > len(known):
        raise StorageError(
            f"database of schema {schema} has version {applied}, newer than {len(known)} that this program knows: "
            "use the program that wrote it, or a later one"
        )
    return known[applied:]
