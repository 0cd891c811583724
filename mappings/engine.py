"""Applies a mapping to one record: plain fields in, model objects and issues out. Pure.

    objects, issues = apply(spec, record.kind, record.fields)

An issue on a required attribute rejects the record (`objects` is empty); on any other it keeps the record without that
value. Reasons name the attribute and what is wrong, and never the value.
`spec.fixed` holds the objects that no record carries (the agency itself, its services): an importer stores them first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mappings.model import Mapped
from mappings.spec import MappingSpec


@dataclass(frozen=True, slots=True)
class MappingIssue:
    """Something in a record could not be mapped: the field of the source, and why."""

    field: str
    reason: str


def apply(spec: MappingSpec, kind: str, fields: Mapping[str, Any]) -> tuple[list[Mapped], list[MappingIssue]]:
    """Map one record of `kind`; raises SpecError when the mapping knows no such kind."""
    raise NotImplementedError
