"""Reads what a mapping says of one object's attributes, by the shape that mappings.rules gives each of them."""

from collections.abc import Mapping

from mappings.convert import check_date_format
from mappings.rules import (
    AddressRule,
    Attribute,
    Condition,
    ContactRule,
    IdentifierRule,
    Key,
    NameRule,
    Path,
    Rule,
    Value,
    ValueSet,
    fold,
    path,
)
from mappings.toml_table import Table
from mappings.value_sets import shared, unknown_meaning

_YES = ("y", "yes", "true", "t", "1")
_NO = ("n", "no", "false", "f", "0")
_COMPOUND = frozenset({"addresses", "identifiers", "contact_points"})
_NAME_ORDERS = ("family-comma-given", "given-family")


class RuleReader:
    """Reads the rules of one object and remembers which fields they read."""

    def __init__(self, value_sets: Mapping[str, ValueSet], *, fixed: bool) -> None:
        self._value_sets = value_sets
        self._fixed = fixed
        self._in_each = False
        self.paths: list[Path] = []

    # Fields -------------------------------------------------------------------------------------------------------

    def path(self, label: str, table: Table) -> Path:
        from_record = label.startswith("/")
        stripped = label.removeprefix("/")
        if not stripped or stripped != stripped.strip() or "" in stripped.split("/"):
            table.fail(f"{label!r} is not the name of a field")
        found = path(stripped, from_record=from_record)
        if not self._in_each:
            self.paths.append(found)
        return found

    def path_of(self, table: Table, key: str) -> Path | None:
        return self.path(table.text(key), table) if table.has(key) else None

    def paths_of(self, table: Table, key: str) -> tuple[Path, ...]:
        return tuple(self.path(label, table) for label in table.texts(key))

    def condition(self, table: Table, key: str) -> Condition | None:
        if not table.has(key):
            return None
        inner = table.table(key)
        condition = Condition(
            path=self.path(inner.text("field"), inner), values=frozenset(fold(value) for value in inner.texts("in"))
        )
        inner.done()
        if not condition.values:
            inner.fail("'in' is missing")
        return condition

    # Values -------------------------------------------------------------------------------------------------------

    def rule(self, table: Table, name: str, attribute: Attribute) -> Rule:
        """Read what a mapping says of one attribute, by the attribute's shape."""
        if attribute.shape == "key":
            return self.key(table, name)
        if attribute.shape == "name":
            return self.name(table.table(name), several=False)
        if attribute.shape == "names":
            return tuple(self.name(inner, several=True) for inner in table.tables(name))
        if attribute.shape in _COMPOUND:
            return self._compound(table, name, attribute)
        return self.value(table, name, attribute)

    def _compound(self, table: Table, name: str, attribute: Attribute) -> Rule:
        tables = table.tables(name)
        if attribute.shape == "addresses":
            return tuple(self.address(inner) for inner in tables)
        if attribute.shape == "identifiers":
            return tuple(self.identifier(inner) for inner in tables)
        return tuple(self.contact(inner) for inner in tables)

    def value(self, table: Table, name: str, attribute: Attribute, *, literal: bool = False) -> Value:
        """Read a text (the name of a field, or what it says itself if `literal`), true or false, or a table."""
        raw = table.raw(name)
        if isinstance(raw, str):
            inner = Table(f"{table.where}: {name}", {"constant" if literal or self._fixed else "field": raw})
        elif isinstance(raw, bool):
            inner = Table(f"{table.where}: {name}", {"constant": raw})
        else:
            inner = table.table(name)
        value = self._value(inner, attribute)
        inner.done()
        return value

    def _value(self, table: Table, attribute: Attribute) -> Value:
        constant = table.raw("constant")
        path = None if constant is not None else self.path(table.text("field"), table)
        shape = attribute.shape
        value_set = self._value_set(table, attribute) if shape in {"code", "codes", "preference", "text"} else None
        dates = table.texts("date") if shape == "date" else ()
        yes, no = self._yes_no(table) if shape == "flag" else (frozenset(), frozenset())
        split = table.text("split", "") if shape == "codes" and table.has("split") else ""
        for pattern in dates:
            try:
                check_date_format(pattern)
            except ValueError as error:
                table.fail(f"'date': {error}")
        if constant is not None:
            self._check_constant(table, constant, attribute)
        elif shape == "date" and not dates:
            table.fail("'date' is missing: how the date is written, as in \"%d/%m/%Y\"")
        elif shape in {"code", "codes", "preference"} and attribute.target and value_set is None:
            table.fail("'value_set' is missing")
        return Value(
            path=path,
            constant=constant,
            value_set=value_set,
            dates=dates,
            yes=yes,
            no=no,
            split=split,
            required=table.flag("required"),
        )

    def _value_set(self, table: Table, attribute: Attribute) -> ValueSet | None:
        if not table.has("value_set"):
            return None
        name = table.text("value_set")
        value_set = self._value_sets.get(name) or shared(name)
        if value_set is None:
            table.fail(f"there is no value set {name!r}")
        if attribute.target and value_set.target != attribute.target:
            table.fail(f"value set {name!r} has target {value_set.target!r}, not {attribute.target!r}")
        return value_set

    def _yes_no(self, table: Table) -> tuple[frozenset[str], frozenset[str]]:
        yes = frozenset(fold(text) for text in table.texts("yes") or _YES)
        no = frozenset(fold(text) for text in table.texts("no") or _NO)
        if both := yes & no:
            table.fail(f"{min(both)!r} is both 'yes' and 'no'")
        return yes, no

    def _check_constant(self, table: Table, constant: object, attribute: Attribute) -> None:
        if attribute.shape == "flag":
            if not isinstance(constant, bool):
                table.fail("'constant' must be true or false")
        elif not isinstance(constant, str) or not constant.strip():
            table.fail("'constant' must be a text")
        elif attribute.target and (problem := unknown_meaning(attribute.target, constant)):
            table.fail(problem)

    def key(self, table: Table, name: str) -> Key:
        """Read a key: the name of a field, a list of them, { constant }, or { fields, fold }."""
        raw, fold_case = table.raw(name), False
        if isinstance(raw, dict):
            inner = table.table(name)
            if inner.has("constant"):
                values: tuple[Value, ...] = (Value(constant=inner.text("constant")),)
            else:
                values = tuple(Value(path=self.path(label, inner)) for label in inner.texts("fields"))
                fold_case = inner.flag("fold")
            inner.done()
        elif self._fixed:
            values = (Value(constant=table.text(name)),)
        else:
            values = tuple(Value(path=self.path(label, table)) for label in table.texts(name))
        if not values:
            table.fail(f"{name!r} names no field")
        return Key(values=values, fold=fold_case)

    # Compound attributes ------------------------------------------------------------------------------------------

    def _each(self, table: Table) -> tuple[Path | None, tuple[Path, ...]]:
        """Read `each` and `needs`; what follows `each` stands in a part of the record."""
        self._in_each = False
        each = self.path_of(table, "each")
        self._in_each = each is not None
        return each, self.paths_of(table, "needs")

    def _optional(self, table: Table, name: str, attribute: Attribute, *, literal: bool = False) -> Value | None:
        return self.value(table, name, attribute, literal=literal) if table.has(name) else None

    def _texts(self, table: Table, name: str) -> tuple[Value, ...]:
        texts = table.texts(name)
        return tuple(Value(constant=text) if self._fixed else Value(path=self.path(text, table)) for text in texts)

    def _use(self, table: Table, target: str, default: str) -> Value:
        return self._optional(table, "use", Attribute("code", target), literal=True) or Value(constant=default)

    def name(self, table: Table, *, several: bool) -> NameRule:
        each, needs = self._each(table) if several else (None, ())
        rule = NameRule(
            each=each,
            needs=needs,
            family=self._optional(table, "family", Attribute("text")),
            given=self._texts(table, "given"),
            whole=self._optional(table, "whole", Attribute("text")),
            order=table.text("order", ""),
            use=self._use(table, "name_use", "official"),
            protected=self._optional(table, "protected", Attribute("flag")),
        )
        self._in_each = False
        table.done()
        if (rule.whole is None) == (rule.family is None and not rule.given):
            table.fail("give either 'family' and 'given', or 'whole'")
        if (rule.whole is None) == (rule.order in _NAME_ORDERS):
            table.fail("'order' belongs to 'whole' and is one of " + ", ".join(_NAME_ORDERS))
        return rule

    def address(self, table: Table) -> AddressRule:
        each, needs = self._each(table)
        rule = AddressRule(
            each=each,
            needs=needs,
            whole=self._optional(table, "whole", Attribute("text")),
            lines=self._texts(table, "lines"),
            city=self._optional(table, "city", Attribute("text")),
            postcode=self._optional(table, "postcode", Attribute("text")),
            use=self._use(table, "address_use", "home"),
            protected=self._optional(table, "protected", Attribute("flag")),
        )
        self._in_each = False
        table.done()
        if rule.whole is not None and (rule.lines or rule.city):
            table.fail("'whole' stands instead of 'lines' and 'city'")
        return rule

    def identifier(self, table: Table) -> IdentifierRule:
        each, needs = self._each(table)
        rule = IdentifierRule(
            each=each,
            needs=needs,
            system=table.text("system"),
            value=self.value(table, "value", Attribute("text")),
            protected=self._optional(table, "protected", Attribute("flag")),
        )
        self._in_each = False
        table.done()
        if not rule.system.startswith(("https://", "http://", "urn:")):
            table.fail("'system' must be a URI")
        return rule

    def contact(self, table: Table) -> ContactRule:
        each, needs = self._each(table)
        rule = ContactRule(
            each=each,
            needs=needs,
            system=self.value(table, "system", Attribute("code", "contact_system"), literal=True),
            value=self.value(table, "value", Attribute("text")),
            use=self._optional(table, "use", Attribute("code", "contact_use"), literal=True),
            preferred=self._optional(table, "preferred", Attribute("flag")),
        )
        self._in_each = False
        table.done()
        return rule
