"""Reads a mapping (TOML) and its value sets into frozen rules; unknown keys are errors that name the key.

`load("demo_housing")` finds a mapping that comes with Patchwork, `load(Path("..."))` an agency's own.
docs/connecting-a-case-system.md describes every key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mappings.model import Mapped


class SpecError(ValueError):
    """A mapping or value set cannot be used; the message names the file and the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSpec:
    """A mapping, ready to apply.

    `connector` and `options` are the `[source]` table: what to hand to `connectors.registry.build`, after overlaying the
    node's own options (a path or a URL). `columns` has, for each kind of record, the fields that must be there.
    `fixed` are the objects that no record carries.
    """

    system: str
    title: str
    connector: str
    options: Mapping[str, Any]
    columns: Mapping[str, frozenset[str]]
    fixed: tuple[Mapped, ...]


def load(source: str | Path) -> MappingSpec:
    """Read a mapping by name or path; raises SpecError."""
    raise NotImplementedError
