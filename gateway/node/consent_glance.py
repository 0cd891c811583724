"""A client's consent at a glance, for somebody who works with them: about their own service, and no other. Pure.

A consent may name another service of this agency, which the viewer need not know of: what is told is what holds for the
services in which the viewer's own work stands.
"""

from collections.abc import Collection, Iterable
from datetime import date
from enum import StrEnum

from consent_ledger.consent import ConsentEntry, effective
from gateway.wire.federation import Member
from mappings.vocabulary import Mode, Purpose


class Glance(StrEnum):
    """What somebody has said about telling other agencies who works with them, so that care fits together."""

    NOTHING = "nothing"  # no agreement on record, or none any more, and no objection
    AGREED = "agreed"
    LIMITED = "limited"  # to some agencies, or to less than who works with them
    OBJECTED = "objected"


def glance(
    entries: Iterable[ConsentEntry], *, services: Collection[str], members: Collection[Member], today: date
) -> Glance:
    """What holds today between `services` (MAIS codes) here and all of `members`, which must not be empty."""
    entries = tuple(entries)
    states = [
        effective(
            entries,
            purpose=Purpose.COORDINATION,
            recipient=member.id,
            recipient_type=member.type,
            service=service,
            today=today,
        )
        for service in services or ("",)
        for member in members
    ]
    if all(state.permits >= Mode.PRACTITIONER for state in states):
        return Glance.AGREED
    if any(state.permits > Mode.NONE for state in states):
        return Glance.LIMITED
    objected = [state.refused_from is not None for state in states]
    if all(objected):
        return Glance.OBJECTED
    return Glance.LIMITED if any(objected) else Glance.NOTHING
