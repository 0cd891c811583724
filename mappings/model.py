"""What every mapping yields: the nodes' own view of people and of who works with them.

Frozen values with keys of the source (`key` is unique per source and kind). No field can hold case content; the only
free text is a service's description and a practitioner's working pattern, both bounded by MAX_FREE_TEXT.
`protected` marks a name, address or identifier that is never searched, scored, shown or used to join two records.
Dates are ISO 8601 text, possibly partial (`2014`, `2014-03`, `2014-03-09`), as FHIR R4 `date`.
"""

from dataclasses import dataclass, field

from mappings.vocabulary import Mode, OrganisationType, PersonLinkKind, Purpose, Sensitivity

MAX_TEXT = 200  # characters of a name, role, line of an address
MAX_FREE_TEXT = 500  # characters of a description or working pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanName:
    """FHIR HumanName; `use` is usual, official, nickname, old or maiden."""

    family: str = ""
    given: tuple[str, ...] = ()
    use: str = "official"
    protected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """FHIR Address; `use` is home, temp or old."""

    lines: tuple[str, ...] = ()
    city: str = ""
    postcode: str = ""
    use: str = "home"
    protected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """FHIR Identifier: `system` is a URI."""

    system: str
    value: str
    protected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPoint:
    """FHIR ContactPoint; `system` is phone, email or sms, `use` work or mobile; rank 1 is preferred."""

    system: str
    value: str
    use: str = "work"
    rank: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A client. `restricted` is a bar on the whole person, as the NHS PDS sensitive flag."""

    key: str
    names: tuple[HumanName, ...]
    birth_date: str | None = None
    addresses: tuple[Address, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    restricted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An agency or a part of it, with its duty contact."""

    key: str
    name: str
    type: OrganisationType | None = None
    identifiers: tuple[Identifier, ...] = ()
    duty_contact: tuple[ContactPoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A team or service; `code` is a MAIS service code. Without a duty contact of its own, its organisation serves."""

    key: str
    name: str
    code: str = ""
    organisation_key: str | None = None
    duty_contact: tuple[ContactPoint, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Practitioner:
    """A professional or volunteer, with contact points in order of preference.

    `away_until` is the last day of an absence that has begun; `cover_key` is the practitioner who stands in until then.
    """

    key: str
    name: HumanName
    role: str = ""
    contact_points: tuple[ContactPoint, ...] = ()
    working_pattern: str = ""
    organisation_key: str | None = None
    away_until: str | None = None
    cover_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Involvement:
    """A practitioner and/or service works with a person. `max_mode` is the most that the service lets be disclosed."""

    key: str
    person_key: str
    practitioner_key: str | None = None
    service_key: str | None = None
    role: str = ""
    start: str | None = None
    end: str | None = None
    lead: bool = False
    sensitivity: Sensitivity = Sensitivity.NORMAL
    max_mode: Mode = Mode.SCHEDULE
    last_confirmed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactEvent:
    """A past contact or a planned visit: date and kind, never its content. `kind` is of value set contact-kind."""

    key: str
    person_key: str
    kind: str
    date: str
    practitioner_key: str | None = None
    planned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLink:
    """Two people of one source that belong together."""

    key: str
    person_key: str
    other_key: str
    kind: PersonLinkKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentStatement:
    """What a case system knows of a person's consent; ingest records it in the ledger once.

    `permit` False is an objection. Empty `purposes`, `recipients` or `services` mean all; `recipients` are MAIS
    organisation codes or member ids, `services` MAIS service codes.
    """

    key: str
    person_key: str
    permit: bool
    given_on: str | None = None
    until: str | None = None
    purposes: tuple[Purpose, ...] = ()
    recipients: tuple[str, ...] = ()
    except_recipients: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    modes: tuple[Mode, ...] = field(default=())


type_names: dict[str, type] = {
    "person": Person,
    "organisation": Organisation,
    "service": Service,
    "practitioner": Practitioner,
    "involvement": Involvement,
    "contact_event": ContactEvent,
    "person_link": PersonLink,
    "consent": ConsentStatement,
}

Mapped = Person | Organisation | Service | Practitioner | Involvement | ContactEvent | PersonLink | ConsentStatement
