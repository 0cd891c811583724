"""Value sets: local codes and what they mean, a TOML file each."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from mappings.model import MAX_TEXT
from mappings.rules import ValueSet, fold
from mappings.toml_table import Table, read_toml
from mappings.vocabulary import Mode, OrganisationType, PersonLinkKind, Purpose, Sensitivity

# What the codes of a value set may mean. Of `service` and `contact_kind` the files of that name are the list.
_TARGETS: Mapping[str, frozenset[str]] = {
    "organisation": frozenset(OrganisationType),
    "sensitivity": frozenset(Sensitivity),
    "mode": frozenset(mode.code for mode in Mode),
    "purpose": frozenset(Purpose),
    "person_link": frozenset(PersonLinkKind),
    "name_use": frozenset({"usual", "official", "nickname", "old", "maiden"}),
    "address_use": frozenset({"home", "temp", "old"}),
    "contact_system": frozenset({"phone", "email", "sms"}),
    "contact_use": frozenset({"work", "mobile"}),
    "contact_preference": frozenset({"phone", "mobile", "email", "sms"}),
}
_OWN_LISTS = frozenset({"service", "contact_kind"})


@lru_cache(maxsize=64)
def shared(name: str) -> ValueSet | None:
    """A value set that comes with Patchwork; None when there is none of that name. Raises SpecError."""
    if not name.replace("_", "").isalnum():
        return None
    file = files("mappings.value_sets").joinpath(f"{name}.toml")
    if not file.is_file():
        return None
    table = read_toml(file, f"value set {name}")
    table.text("title")
    return read_value_set(name, table)


def read_value_set(name: str, table: Table) -> ValueSet:
    """Read `target` and `codes`; raises SpecError naming a code with a meaning that the target does not have."""
    target = table.text("target")
    codes = table.table("codes")
    meanings = {code: codes.text(code) for code in codes.names()}
    table.done()
    if not meanings:
        table.fail("'codes' is empty")
    if not (name == target and target in _OWN_LISTS):
        for code, meaning in meanings.items():
            if problem := unknown_meaning(target, meaning):
                table.fail(f"code {code!r}: {problem}")
    folded = {fold(code): meaning for code, meaning in meanings.items()}
    if len(folded) < len(meanings):
        table.fail("two codes differ only in case or spaces")
    return ValueSet(name=name, target=target, codes=folded)


def unknown_meaning(target: str, meaning: str) -> str:
    """Why a target does not have this meaning; empty when it does."""
    if target == "text":
        return "" if len(meaning) <= MAX_TEXT else f"longer than {MAX_TEXT} characters"
    if target in _OWN_LISTS:
        own = shared(target)
        allowed = frozenset(own.codes.values()) if own else frozenset()
    elif target in _TARGETS:
        allowed = _TARGETS[target]
    else:
        return f"unknown target {target!r}"
    return "" if meaning in allowed else f"{meaning!r} is not one of {', '.join(sorted(allowed))}"
