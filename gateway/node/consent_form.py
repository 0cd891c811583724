"""What somebody says of sharing, from codes to the provisions of an entry: the same for command and page. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from consent_ledger.consent import ConsentEntry, Provision
from gateway.errors import InputError
from mappings.value_sets import unknown_meaning
from mappings.vocabulary import MAX_SCOPE, Mode, OrganisationType, Purpose

PERMITTED: Final = (Mode.DUTY_CONTACT, Mode.PRACTITIONER, Mode.SCHEDULE)  # the most that a consent lets be shown
REFUSED: Final = (Mode.CALLBACK, *PERMITTED)  # the least that an objection or a withdrawal forbids


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whom and what it is about, as codes (docs/policy.md, "Consent"): an empty list means all.

    Raises InputError naming the field for a list that is too long and for a service that MAIS does not know.
    """

    to: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...] = ()

    def __post_init__(self) -> None:
        """Check what needs no list of members."""
        for field in ("to", "but", "services", "purposes"):
            if len(getattr(self, field)) > MAX_SCOPE:
                raise InputError(f"an option is given at most {MAX_SCOPE} times")
        known = [code for code in self.services if not unknown_meaning("service", code)]
        _check(self.services, known, "services", "one of the MAIS service codes")

    @property
    def is_all(self) -> bool:
        """Whether it is about everything."""
        return not (self.to or self.but or self.services or self.purposes)


def permitted(most: Mode, scope: Scope) -> tuple[Provision, ...]:
    """Up to `most` may be shown."""
    return (_provision(scope, permit=True, mode=most),)


def refused(least: Mode, scope: Scope) -> tuple[Provision, ...]:
    """`least` and anything more may not; no provision stands for everything."""
    if least is Mode.CALLBACK and scope.is_all:
        return ()
    return (_provision(scope, permit=False, mode=least),)


def check_recipients(entry: ConsentEntry, members: Collection[str]) -> None:
    """A misspelt recipient would be an objection to nobody, and nobody would notice. Raises InputError."""
    known = {*OrganisationType, *members}
    expected = f"a member's id or one of {', '.join(OrganisationType)}"
    for line in entry.provisions:
        _check(line.recipients, known, "to", expected)
        _check(line.except_recipients, known, "but", expected)


def check_last_day(day: date | None, today: date) -> None:
    """Not one that is over: a mistyped year would put something on record that never holds. Raises InputError."""
    if day is not None and day < today:
        raise InputError("that day is over, so this would never hold: nothing was recorded", "until")


def _provision(scope: Scope, *, permit: bool, mode: Mode) -> Provision:
    return Provision(
        permit=permit,
        mode=mode,
        purposes=scope.purposes,
        recipients=scope.to,
        except_recipients=scope.but,
        services=scope.services,
    )


def _check(given: Iterable[str], known: Collection[str], field: str, expected: str) -> None:
    for place, code in enumerate(given, 1):
        if code not in known:
            raise InputError(f"number {place} is not {expected}", field)
