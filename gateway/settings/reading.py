"""Reads a configuration file into its tables, and says what is wrong with it by key, never by value."""

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.errors import ConfigurationError
from gateway.settings.hub import HubSettings
from gateway.settings.node import NodeSettings, SourceSettings

MAX_FILE_BYTES = 1024 * 1024  # a configuration file larger than this is a mistake
_FILE_OPTIONS = frozenset({"path", "password_file"})
_SQLITE_FILE = re.compile(
    r"(sqlite(?:\+[a-z]+)?:///)(?!:memory:)([^?]+)"
)  # SQLAlchemy: four slashes are an absolute path

Settings = TypeVar("Settings", NodeSettings, HubSettings)


def load_node(path: Path) -> NodeSettings:
    """Read a node's file; raises ConfigurationError naming file and key."""
    return _load(path, NodeSettings)


def load_hub(path: Path) -> HubSettings:
    """Read a hub's file; raises ConfigurationError naming file and key."""
    return _load(path, HubSettings)


def check_node(text: str, path: Path) -> NodeSettings:
    """What load_node() would say of this text at this path, before it is written."""
    return _parse(text.encode(), path, NodeSettings)


def check_hub(text: str, path: Path) -> HubSettings:
    """What load_hub() would say of this text at this path, before it is written."""
    return _parse(text.encode(), path, HubSettings)


def _load(path: Path, model: type[Settings]) -> Settings:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigurationError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
    return _parse(raw, path, model)


def _parse(raw: bytes, path: Path, model: type[Settings]) -> Settings:
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from error
    try:
        settings = model.model_validate(table)
    except ValidationError as error:
        raise ConfigurationError("\n".join(f"{path}: {line}" for line in _explain(error))) from None
    resolved: Settings = _resolve(settings, path.resolve().parent)
    return resolved


def _explain(error: ValidationError) -> list[str]:
    """One line per fault: the key as people write it, and what is wrong - never the value, which may be a secret."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part + 1) if isinstance(part, int) else part for part in fault["loc"]) or "file"
        reason = "unknown key" if fault["type"] == "extra_forbidden" else fault["msg"].removeprefix("Value error, ")
        lines.append(f"{key}: {reason}")
    return sorted(lines, key=lambda line: not line.endswith("unknown key"))  # a misspelt key explains a missing one


def _resolve(table: Any, folder: Path) -> Any:
    """A copy with every path made absolute, from the folder of the file that names it."""
    if isinstance(table, SourceSettings):
        mapping = str(folder / table.mapping) if table.mapping.endswith(".toml") else table.mapping
        options = {name: _resolve_option(name, value, folder) for name, value in table.options.items()}
        return table.model_copy(update={"mapping": mapping, "options": options})
    if isinstance(table, BaseModel):
        return table.model_copy(
            update={name: _resolve(getattr(table, name), folder) for name in type(table).model_fields}
        )
    if isinstance(table, Path):
        return folder / table
    if isinstance(table, tuple):
        return tuple(_resolve(item, folder) for item in table)
    return table


def _resolve_option(name: str, value: Any, folder: Path) -> Any:
    """The options of connectors that name files; a wrong type is left for the connector to report."""
    if isinstance(value, dict):  # `kinds`: one table for each kind of record
        return {inner: _resolve_option(inner, each, folder) for inner, each in value.items()}
    if not isinstance(value, str):
        return value
    if name in _FILE_OPTIONS:
        return str(folder / value)
    if name == "url" and (match := _SQLITE_FILE.fullmatch(value)):
        scheme, file = match.groups()
        return f"{scheme}{folder / file}"
    return value
