"""Names of people: as they are typed, stored and spoken. Pure."""

from typing import Any

from mappings.model import HumanName


def typed_name(typed: str, *, use: str = "official") -> HumanName:
    """As people write it: the last word is taken for the family name, and one word alone for a given name."""
    *given, last = typed.split() or [""]
    return HumanName(given=tuple(given), family=last, use=use) if given else HumanName(given=(last,), use=use)


def stored_name(stored: dict[str, Any]) -> HumanName:
    """From the object that a row of the register has of it."""
    return HumanName(**stored | {"given": tuple(stored["given"])})


def spoken(name: HumanName) -> str:
    """As people say it; "" if there is none. Text of a source is not made plain here."""
    return " ".join(part for part in (*name.given, name.family) if part)
