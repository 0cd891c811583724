"""Reads a mapping (TOML) into frozen rules; unknown keys are errors that name the key.

`load("demo_housing")` finds a mapping that comes with Patchwork, `load(Path("..."))` an agency's own.
docs/connecting-a-case-system.md describes every key.
"""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from mappings.engine import fixed_objects
from mappings.rule_reader import RuleReader
from mappings.rules import ATTRIBUTES, FIXED, MappingSpec, ObjectRule, Rule, ValueSet, fold
from mappings.toml_table import SpecError, Table, parse_toml, read_toml
from mappings.value_sets import read_value_set

__all__ = ["MappingSpec", "SpecError", "load", "read"]


def load(source: str | Path) -> MappingSpec:
    """Read a mapping by name or path; raises SpecError."""
    if isinstance(source, Path):
        return _mapping(read_toml(source, source.name))
    if not source.replace("_", "").isalnum():
        raise SpecError(f"{source!r} is not the name of a mapping")
    file = files("mappings").joinpath("systems", f"{source}.toml")
    if not file.is_file():
        raise SpecError(f"there is no mapping {source!r}; give the path of a file for one of your own")
    return _mapping(read_toml(file, f"{source}.toml"))


def read(text: str, name: str) -> MappingSpec:
    """Read a mapping that a program has made; raises SpecError, which calls it `name`."""
    return _mapping(parse_toml(text, name))


def _mapping(top: Table) -> MappingSpec:
    system, title = top.text("system"), top.text("title")
    missing = frozenset(fold(value) for value in top.texts("missing"))
    options = top.raw("source")
    if not isinstance(options, dict):
        top.fail("a table [source] is missing")
    source = Table(f"{top.where}: source", options)
    connector = source.text("connector")
    local = top.table("value_sets")
    value_sets = {name: read_value_set(name, local.table(name)) for name in local.names()}
    fixed = [_object(table, value_sets, fixed=True) for table in top.tables("fixed")]
    mapped = [_object(table, value_sets, fixed=False) for table in top.tables("map")]
    top.done()
    if not mapped:
        top.fail("there is no [[map]]")
    objects: dict[str, tuple[ObjectRule, ...]] = {}
    columns: dict[str, frozenset[str]] = {}
    for rule, fields in mapped:
        objects[rule.kind] = (*objects.get(rule.kind, ()), rule)
        columns[rule.kind] = columns.get(rule.kind, frozenset()) | fields
    return MappingSpec(
        system=system,
        title=title,
        connector=connector,
        options={key: value for key, value in options.items() if key != "connector"},
        columns=columns,
        fixed=tuple(fixed_objects(tuple(rule for rule, _ in fixed), top)),
        missing=missing,
        objects=objects,
    )


def _object(table: Table, value_sets: Mapping[str, ValueSet], *, fixed: bool) -> tuple[ObjectRule, frozenset[str]]:
    """Read one [[map]] or [[fixed]] table: the rule, and the fields that it reads of its record."""
    type_name = table.text("type")
    if type_name not in ATTRIBUTES:
        table.fail(f"unknown type {type_name!r}; known are {', '.join(ATTRIBUTES)}")
    table.where = f"{table.where} ({type_name})"
    reader = RuleReader(value_sets, fixed=fixed)
    kind = FIXED if fixed else table.text("from")
    each = None if fixed else reader.path_of(table, "each")
    needs = () if fixed else reader.paths_of(table, "needs")
    when = None if fixed else reader.condition(table, "when")
    unless = None if fixed else reader.condition(table, "unless")
    optional = False if fixed else table.flag("optional")
    attributes: dict[str, Rule] = {}
    for name, attribute in ATTRIBUTES[type_name].items():
        if table.has(name):
            attributes[name] = reader.rule(table, name, attribute)
        elif attribute.required:
            table.fail(f"{name!r} is missing")
    table.done()
    rule = ObjectRule(
        kind=kind,
        type=type_name,
        each=each,
        needs=needs,
        when=when,
        unless=unless,
        optional=optional,
        attributes=attributes,
    )
    # Within `each`, only what starts at the record itself is a field of the record.
    columns = frozenset(path.label for path in reader.paths if path.from_record or each is None)
    return rule, columns
