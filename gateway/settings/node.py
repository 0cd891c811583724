"""The tables of a node's configuration file; `config/node.toml` shows them filled in."""

import os
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from gateway.errors import InputError
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
    """One case system or export: `mapping` explains it and names its connector; `options` say where it is.

    `federations`: those whose registers it feeds, each through this mapping. A node in several says so of every source:
    none feeds a federation that joins later because nobody thought of it.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,48}$")]
    mapping: str
    options: dict[str, Any] = Field(default_factory=dict)
    max_removal_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    federations: Annotated[tuple[ShortText, ...], Field(min_length=1, max_length=4)] | None = None


Witnesses = Annotated[tuple[MemberId, ...], Field(max_length=16)]


class FederationSettings(Table):
    """One federation that this node belongs to.

    With a `folder` of its own its data and keys are there, and `member`, `witnesses` and `web` are for it alone. Of one
    without, [node], [ledger] and [web] say so; there is at most one such (docs/decisions/two-federations.md).
    """

    id: ShortText
    operator_key: Path
    # In the order in which they are asked.
    hubs: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(min_length=1, max_length=4)]
    witness_hub: str | None = None  # which of them cosigns this node's ledger; without it the first
    accept_members: Literal["local", "operator"] = "local"
    agreements: tuple[Path, ...] = ()
    ca_file: Path | None = None
    folder: Path | None = None
    member: MemberId | None = None  # this agency's id there, if it is another than [node]'s
    witnesses: Witnesses = ()
    web: WebTable | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "FederationSettings":
        if self.folder is None and {"member", "witnesses", "web"} & self.model_fields_set:
            raise ValueError("`member`, `witnesses` and `web` are for a federation with a `folder` of its own")
        _unique("hubs", [hub.rstrip("/") for hub in self.hubs])
        if self.witness_hub not in {None, *self.hubs}:
            raise ValueError("witness_hub: none of `hubs`")
        return self


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

    witnesses: Witnesses = ()


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
    federation: Annotated[tuple[FederationSettings, ...], Field(min_length=1, max_length=4)]
    practitioner: tuple[PractitionerSettings, ...] = ()
    source: tuple[SourceSettings, ...] = ()

    @property
    def apart(self) -> tuple["NodeSettings", ...]:
        """What holds in each federation, as the settings of a node that is in no other: with its folders, its sources.

        Whatever serves one federation is handed one of these, and so never sees where another's data are.
        """
        return tuple(self._in(each) for each in self.federation)

    def chosen(self, federation: str = "") -> "NodeSettings":
        """Of `apart`, that of the federation named, or the only one; raises InputError naming them."""
        known = ", ".join(each.id for each in self.federation)
        if not federation and len(self.federation) > 1:
            raise InputError(f"this node is in several federations: name one with --federation, of {known}")
        for each in self.federation:
            if federation in {"", each.id}:
                return self._in(each)
        raise InputError(f"--federation: this node is not in {federation}, but in {known}")

    def _in(self, one: FederationSettings) -> "NodeSettings":
        sources = tuple(
            each.model_copy(update={"federations": None})
            for each in self.source
            if one.id in (each.federations or [one.id])
        )
        update: dict[str, Any] = {"federation": (one,), "source": sources}
        if one.folder is not None:
            own = {"data": one.folder / "data", "keys": one.folder / "keys", "member": one.member or self.node.member}
            update |= {
                "node": self.node.model_copy(update=own),
                "ledger": LedgerTable(witnesses=one.witnesses),
                "web": one.web,
                "federation": (one.model_copy(update={"folder": None, "member": None, "witnesses": (), "web": None}),),
            }
        return self.model_copy(update=update)

    @model_validator(mode="after")
    def _consistent(self) -> "NodeSettings":
        ids = [each.id for each in self.federation]
        _unique("federation", ids)
        _unique("practitioner", [practitioner.id for practitioner in self.practitioner])
        for source in self.source:
            _fits(source, ids)
        if len([each for each in self.federation if each.folder is None]) > 1:
            raise ValueError("federation: only one can be without a `folder` of its own")
        if all(each.folder is not None for each in self.federation) and {"ledger", "web"} & self.model_fields_set:
            raise ValueError("[ledger] and [web] are for the federation without a `folder`, and there is none")
        doors = [] if self.node.link == "dial" else [self.node.listen]
        for each in self.apart:
            _consistent_apart(each)
            doors += [] if each.web is None else [each.web.listen]
        if len(ids) > 1:
            _unique("listen", [f"{host}:{port}" for host, port in doors if port])
        # Browsers keep cookies by host, whatever the port: two sites there would sign people out of each other.
        _unique("web.url", [urlsplit(each.web.url).hostname or "" for each in self.apart if each.web is not None])
        if self.telemetry is not None:
            self.telemetry.apart_from(self.node.listen, *doors)
        apart_folders([(each.node.data, each.node.keys) for each in self.apart])
        return self


def apart_folders(folders: Sequence[tuple[Path, Path]]) -> None:
    """Raise ValueError if data or keys of one federation are, or are inside, those of another."""
    for one, other in permutations(folders, 2):
        for inner in one:
            for outer in other:
                if Path(os.path.normpath(inner)).is_relative_to(os.path.normpath(outer)):
                    raise ValueError(f"federation: {inner} would hold what belongs to two of them")


def _consistent_apart(settings: NodeSettings) -> None:
    """What has to be so in each federation for itself."""
    _unique("source", [source.name for source in settings.source])
    _unique("ledger.witnesses", list(settings.ledger.witnesses))
    if settings.node.member in settings.ledger.witnesses:
        raise ValueError("ledger.witnesses: a node is no witness of its own ledger")
    for hub in settings.federation[0].hubs:
        allowed_url(hub, plain_http=settings.node.plain_http)


def _fits(source: SourceSettings, federations: list[str]) -> None:
    if source.name == "pages":  # gateway/node/native.py
        raise ValueError("source: the name `pages` is taken, by what is typed into this node's own pages")
    if source.name.startswith("upload-"):
        raise ValueError("source: names that begin with `upload-` are taken, by lists uploaded to this node's pages")
    if len(federations) > 1 and source.federations is None:
        raise ValueError(f"source {source.name}: say with `federations` which it feeds, of {', '.join(federations)}")
    _unique("source.federations", list(source.federations or ()))
    strange = set(source.federations or ()) - set(federations)
    if strange:
        raise ValueError(f"source.federations: this node is not in {', '.join(sorted(strange))}")


def _unique(what: str, names: list[str]) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"{what}: {', '.join(sorted(twice))} is there twice")
