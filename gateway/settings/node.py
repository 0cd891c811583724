"""The tables of a node's configuration file; `config/node.toml` shows them filled in."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gateway.settings.telemetry import TelemetryTable
from gateway.settings.values import Listen, MemberId, ShortText, Table, TlsSettings, allowed_url
from gateway.settings.web import WebTable


class ContactSetting(Table):
    """One contact point of a practitioner, most preferred first in its list."""

    system: Literal["phone", "email", "sms"]
    value: ShortText


class PractitionerSettings(Table):
    """Somebody who may ask from this machine's command line."""

    id: ShortText
    name: ShortText
    role: ShortText
    telecom: tuple[ContactSetting, ...] = ()


class SourceSettings(Table):
    """One case system or export: `mapping` explains it and names its connector; `options` say where it is."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,48}$")]
    mapping: str
    options: dict[str, Any] = Field(default_factory=dict)
    max_removal_share: Annotated[float, Field(ge=0, le=1)] = 0.2


class FederationSettings(Table):
    """One federation that this node belongs to."""

    id: ShortText
    operator_key: Path
    # In the order in which they are asked.
    hubs: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(min_length=1, max_length=4)]
    witness_hub: str | None = None  # which of them cosigns this node's ledger; without it the first
    accept_members: Literal["local", "operator"] = "local"
    agreements: tuple[Path, ...] = ()
    ca_file: Path | None = None


class NodeTable(Table):
    """The node itself."""

    member: MemberId
    data: Path = Path("data")
    keys: Path = Path("keys")
    # "dial": the node opens a link to each of its hubs and has no port for it, nor for other members.
    link: Literal["listen", "dial"] = "listen"
    listen: Listen = ("127.0.0.1", 8401)
    answer_delay_ms: Annotated[int, Field(ge=20, le=5000)] = 150
    display_hours: Annotated[int, Field(ge=1, le=24)] = 12
    # As many as this machine, measured again and again, has ready in half of answer_delay_ms, and never more than
    # max_in_flight: late answers would tell how much work each person was. 48 in 150 ms are 320 questions a second.
    admission: Literal["measured", "fixed"] = "measured"
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 48
    plain_http: Literal["loopback only", "traffic may cross the network without TLS"] = "loopback only"
    tls: TlsSettings | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "NodeTable":
        if self.link == "dial" and {"listen", "tls"} & self.model_fields_set:
            raise ValueError('`listen` and `tls` are for a port, and with link = "dial" there is none')
        return self


class MatchingTable(Table):
    """How sure this node must be of a person before it discloses their team (docs/matching.md).

    `registered_share`: how often those who are asked about are on this agency's register.
    """

    disclose_at: Annotated[float, Field(ge=0.95, lt=1)] = 0.99
    birth_needed: bool = False
    registered_share: Annotated[float, Field(gt=0, le=0.9)] = 0.5


class AccessReportTable(Table):
    """How many days reports hold back break-glass and safeguarding questions of which no officer has decided."""

    hold_days: Annotated[int, Field(ge=0, le=3650)] = 30


class RetentionTable(Table):
    """How long what has served its purpose is kept (docs/ledger.md, "How long things are kept"); 0 means for ever."""

    questions_months: Annotated[int, Field(ge=0, le=1200)] = 72
    officers_years: Annotated[int, Field(ge=0, le=100)] = 0
    answers_months: Annotated[int, Field(ge=0, le=1200)] = 72
    counts_days: Annotated[int, Field(ge=0, le=36_500)] = 400
    rejected_days: Annotated[int, Field(ge=0, le=36_500)] = 90


class CasesTable(Table):
    """Who is told of a governance case, as colleagues call them, and when it is overdue (docs/policy.md, "Cases")."""

    told: ShortText = "duty manager"
    days: Annotated[int, Field(ge=1, le=90)] = 7


class LedgerTable(Table):
    """Who, besides the hub, cosigns this node's ledger (docs/ledger.md): members of its federation."""

    witnesses: Annotated[tuple[MemberId, ...], Field(max_length=16)] = ()


class BudgetsTable(Table):
    """How often may be asked here in one day (UTC), before everybody looks unknown (docs/policy.md, "Probing").

    The first four are per asking practitioner and member, for break-glass and for all else; the others what one member
    may ask about one person, so too.
    """

    questions_per_practitioner: Annotated[int, Field(ge=1, le=1_000_000_000)] = 500
    questions_per_member: Annotated[int, Field(ge=1, le=1_000_000_000)] = 5000
    break_glass_per_practitioner: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    break_glass_per_member: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    questions_per_person: Annotated[int, Field(ge=1, le=1_000_000_000)] = 60
    variants_per_person: Annotated[int, Field(ge=1, le=1000)] = 5


class MisuseTable(Table):
    """What stands out in the weekly report of `patchwork ledger misuse` (docs/policy.md, "Misuse")."""

    time_zone: ShortText = "Europe/London"
    day_starts: Annotated[int, Field(ge=0, le=23)] = 7
    day_ends: Annotated[int, Field(ge=1, le=24)] = 20
    people_in_ten_minutes: Annotated[int, Field(ge=2, le=100_000)] = 20
    people_out_of_hours: Annotated[int, Field(ge=1, le=100_000)] = 10
    contact_within_days: Annotated[int, Field(ge=1, le=366)] = 14
    searches_without_contact: Annotated[int, Field(ge=1, le=100_000)] = 3


class NodeSettings(Table):
    """A node's whole configuration file."""

    node: NodeTable
    matching: MatchingTable = MatchingTable()
    access_report: AccessReportTable = AccessReportTable()
    retention: RetentionTable = RetentionTable()
    cases: CasesTable = CasesTable()
    ledger: LedgerTable = LedgerTable()
    budgets: BudgetsTable = BudgetsTable()
    misuse: MisuseTable = MisuseTable()
    web: WebTable | None = None
    telemetry: TelemetryTable | None = None
    federation: Annotated[tuple[FederationSettings, ...], Field(min_length=1, max_length=1)]
    practitioner: tuple[PractitionerSettings, ...] = ()
    source: tuple[SourceSettings, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "NodeSettings":
        _unique("source", [source.name for source in self.source])
        if any(source.name == "pages" for source in self.source):  # gateway/node/native.py
            raise ValueError("source: the name `pages` is taken, by what is typed into this node's own pages")
        if any(source.name.startswith("upload-") for source in self.source):
            raise ValueError(
                "source: names that begin with `upload-` are taken, by lists uploaded to this node's pages"
            )
        _unique("ledger.witnesses", list(self.ledger.witnesses))
        if self.node.member in self.ledger.witnesses:
            raise ValueError("ledger.witnesses: a node is no witness of its own ledger")
        if self.telemetry is not None:
            self.telemetry.apart_from(self.node.listen, *([] if self.web is None else [self.web.listen]))
        _unique("practitioner", [practitioner.id for practitioner in self.practitioner])
        hubs = self.federation[0].hubs
        _unique("federation.hubs", [hub.rstrip("/") for hub in hubs])
        if self.federation[0].witness_hub not in {None, *hubs}:
            raise ValueError("federation.witness_hub: none of `hubs`")
        for hub in hubs:
            allowed_url(hub, plain_http=self.node.plain_http)
        return self


def _unique(what: str, names: list[str]) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"{what}: {', '.join(sorted(twice))} is there twice")
