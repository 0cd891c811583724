"""The team around one person, read in one go: everything that policy and disclosure need to know of it.

`person_id` is what matching names a person by; several rows of several sources may share it (gateway/node/people.py).
Ended involvements are not read, so that nothing can disclose them.
"""

from dataclasses import dataclass

from mappings.model import ContactEvent, Involvement, Organisation, Practitioner, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMember:
    """One involvement with everything it refers to; at least one of `practitioner` and `service` is there.

    `organisation` is the service's, else the practitioner's; None means the agency of this node itself.
    `contact_events` are this practitioner's last past contact and next planned visit with the person, if known.
    The ids are those of this node's rows; the keys inside the values are the source's and never leave the node.
    """

    involvement_id: int
    involvement: Involvement
    practitioner_id: int | None = None
    practitioner: Practitioner | None = None
    service_id: int | None = None
    service: Service | None = None
    organisation_id: int | None = None
    organisation: Organisation | None = None
    contact_events: tuple[ContactEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who works with a person: leads first, then the newest involvements.

    `person_ids` are all ids under which the ledger may know this person: consents and withdrawals of each count.
    `restricted` is a bar on the whole person, from any of their rows.
    """

    person_id: int
    person_ids: tuple[int, ...]
    restricted: bool
    involvements: tuple[TeamMember, ...]
