"""Configuration: one TOML file per node or hub, read into frozen typed settings.

Unknown keys are errors that name the key; paths are relative to the file that names them. Nothing is read from the
environment. Example files stand in config/.
"""

import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from gateway.errors import ConfigurationError

MAX_FILE_BYTES = 1024 * 1024  # a configuration file larger than this is a mistake
PLAIN_HTTP_WORDS = "traffic may cross the network without TLS"
_FILE_OPTIONS = frozenset({"path", "password_file"})
_SQLITE_FILE = re.compile(
    r"(sqlite(?:\+[a-z]+)?:///)(?!:memory:)([^?]+)"
)  # SQLAlchemy: four slashes are an absolute path
MEMBER_ID = r"^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$"  # docs/wire.md, Federation document


def _host_port(value: object) -> object:
    """`127.0.0.1:8401` or `[::1]:8401` into (host, port); port 0 takes a free one."""
    if not isinstance(value, str):
        return value
    host, _, port = value.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the port range
        raise ValueError("must be host:port, as in 127.0.0.1:8401")
    return host.strip("[]"), int(port)


Listen = Annotated[tuple[str, int], BeforeValidator(_host_port)]
MemberId = Annotated[str, Field(pattern=MEMBER_ID)]
ShortText = Annotated[str, Field(min_length=1, max_length=200)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TlsSettings(_Table):
    """Own certificate files for the listening port; left out behind a proxy that ends TLS."""

    certificate: Path
    key: Path


class ContactSetting(_Table):
    """One contact point of a practitioner, most preferred first in its list."""

    system: Literal["phone", "email", "sms"]
    value: ShortText


class PractitionerSettings(_Table):
    """Somebody who may ask from this machine's command line."""

    id: ShortText
    name: ShortText
    role: ShortText
    telecom: tuple[ContactSetting, ...] = ()


class SourceSettings(_Table):
    """One case system or export: `mapping` explains it and names its connector; `options` say where it is."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,48}$")]
    mapping: str
    options: dict[str, Any] = Field(default_factory=dict)
    max_removal_share: Annotated[float, Field(ge=0, le=1)] = 0.2


class FederationSettings(_Table):
    """One federation that this node belongs to."""

    id: ShortText
    operator_key: Path
    hubs: Annotated[tuple[str, ...], Field(min_length=1)]
    accept_members: Literal["local", "operator"] = "local"
    agreements: tuple[Path, ...] = ()
    ca_file: Path | None = None


class NodeTable(_Table):
    """The node itself."""

    member: MemberId
    data: Path = Path("data")
    keys: Path = Path("keys")
    listen: Listen = ("127.0.0.1", 8401)
    answer_delay_ms: Annotated[int, Field(ge=20, le=5000)] = 150
    display_hours: Annotated[int, Field(ge=1, le=24)] = 12
    # As many as this machine, measured again and again, has ready in half of answer_delay_ms, and never more than
    # max_in_flight: late answers would tell how much work each person was. 48 in 150 ms are 320 questions a second.
    admission: Literal["measured", "fixed"] = "measured"
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 48
    plain_http: Literal["loopback only", "traffic may cross the network without TLS"] = "loopback only"
    tls: TlsSettings | None = None


class MatchingTable(_Table):
    """How sure this node must be of a person before it discloses their team (docs/matching.md).

    `registered_share`: how often those who are asked about are on this agency's register.
    """

    disclose_at: Annotated[float, Field(ge=0.95, lt=1)] = 0.99
    birth_needed: bool = False
    registered_share: Annotated[float, Field(gt=0, le=0.9)] = 0.5


class AccessReportTable(_Table):
    """How many days reports hold back break-glass and safeguarding questions of which no officer has decided."""

    hold_days: Annotated[int, Field(ge=0, le=3650)] = 30


class RetentionTable(_Table):
    """How long what has served its purpose is kept (docs/ledger.md, "How long things are kept"); 0 means for ever."""

    questions_months: Annotated[int, Field(ge=0, le=1200)] = 72
    officers_years: Annotated[int, Field(ge=0, le=100)] = 0
    rejected_days: Annotated[int, Field(ge=0, le=36_500)] = 90


class CasesTable(_Table):
    """Who is told of a governance case, as colleagues call them, and when it is overdue (docs/policy.md, "Cases")."""

    told: ShortText = "duty manager"
    days: Annotated[int, Field(ge=1, le=90)] = 7


class LedgerTable(_Table):
    """Who, besides the hub, cosigns this node's ledger (docs/ledger.md): members of its federation."""

    witnesses: Annotated[tuple[MemberId, ...], Field(max_length=16)] = ()


class BudgetsTable(_Table):
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


class MisuseTable(_Table):
    """What stands out in the weekly report of `patchwork ledger misuse` (docs/policy.md, "Misuse")."""

    time_zone: ShortText = "Europe/London"
    day_starts: Annotated[int, Field(ge=0, le=23)] = 7
    day_ends: Annotated[int, Field(ge=1, le=24)] = 20
    people_in_ten_minutes: Annotated[int, Field(ge=2, le=100_000)] = 20
    people_out_of_hours: Annotated[int, Field(ge=1, le=100_000)] = 10
    contact_within_days: Annotated[int, Field(ge=1, le=366)] = 14
    searches_without_contact: Annotated[int, Field(ge=1, le=100_000)] = 3


class NodeSettings(_Table):
    """A node's whole configuration file."""

    node: NodeTable
    matching: MatchingTable = MatchingTable()
    access_report: AccessReportTable = AccessReportTable()
    retention: RetentionTable = RetentionTable()
    cases: CasesTable = CasesTable()
    ledger: LedgerTable = LedgerTable()
    budgets: BudgetsTable = BudgetsTable()
    misuse: MisuseTable = MisuseTable()
    federation: Annotated[tuple[FederationSettings, ...], Field(min_length=1, max_length=1)]
    practitioner: tuple[PractitionerSettings, ...] = ()
    source: tuple[SourceSettings, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "NodeSettings":
        _unique("source", [source.name for source in self.source])
        _unique("ledger.witnesses", list(self.ledger.witnesses))
        if self.node.member in self.ledger.witnesses:
            raise ValueError("ledger.witnesses: a node is no witness of its own ledger")
        _unique("practitioner", [practitioner.id for practitioner in self.practitioner])
        if len(self.federation[0].hubs) > 1:
            raise ValueError("federation: one hub is used, so `hubs` lists one; there is no fail-over yet")
        for hub in self.federation[0].hubs:
            _allowed_url(hub, plain_http=self.node.plain_http)
        return self


class HubTable(_Table):
    """The hub itself. `rate_per_minute` and `max_concurrent` are per member."""

    id: MemberId
    federation_document: Path
    operator_key: Path
    data: Path = Path("data")
    keys: Path = Path("keys")
    listen: Listen = ("127.0.0.1", 8400)
    rate_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    max_concurrent: Annotated[int, Field(ge=1, le=10_000)] = 64
    deadline_ms: Annotated[int, Field(ge=100, le=60_000)] = 5000
    plain_http: Literal["loopback only", "traffic may cross the network without TLS"] = "loopback only"
    ca_file: Path | None = None
    tls: TlsSettings | None = None


class HubSettings(_Table):
    """A hub's whole configuration file."""

    hub: HubTable


Settings = TypeVar("Settings", NodeSettings, HubSettings)


def load_node(path: Path) -> NodeSettings:
    """Read a node's file; raises ConfigurationError naming file and key."""
    return _load(path, NodeSettings)


def load_hub(path: Path) -> HubSettings:
    """Read a hub's file; raises ConfigurationError naming file and key."""
    return _load(path, HubSettings)


def is_loopback(url: str) -> bool:
    """True if a URL's host is this machine's loopback, by address or as `localhost`."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _load(path: Path, model: type[Settings]) -> Settings:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigurationError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
    return _parse(raw, path, model)


def check_node(text: str, path: Path) -> NodeSettings:
    """What load_node() would say of this text at this path, before it is written."""
    return _parse(text.encode(), path, NodeSettings)


def check_hub(text: str, path: Path) -> HubSettings:
    """What load_hub() would say of this text at this path, before it is written."""
    return _parse(text.encode(), path, HubSettings)


def _parse(raw: bytes, path: Path, model: type[Settings]) -> Settings:
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from error
    try:
        settings = model.model_validate(table)
    except ValidationError as error:
        raise ConfigurationError("\n".join(f"{path}: {line}" for line in _explain(error))) from None
    resolved: Settings = _resolve(settings, path.resolve().parent)
    return resolved


def _explain(error: ValidationError) -> list[str]:
    """One line per fault: the key as people write it, and what is wrong - never the value, which may be a secret."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part + 1) if isinstance(part, int) else part for part in fault["loc"]) or "file"
        reason = "unknown key" if fault["type"] == "extra_forbidden" else fault["msg"].removeprefix("Value error, ")
        lines.append(f"{key}: {reason}")
    return sorted(lines, key=lambda line: not line.endswith("unknown key"))  # a misspelt key explains a missing one


def _resolve(table: Any, folder: Path) -> Any:
    """A copy with every path made absolute, from the folder of the file that names it."""
    if isinstance(table, SourceSettings):
        mapping = str(folder / table.mapping) if table.mapping.endswith(".toml") else table.mapping
        options = {name: _resolve_option(name, value, folder) for name, value in table.options.items()}
        return table.model_copy(update={"mapping": mapping, "options": options})
    if isinstance(table, BaseModel):
        return table.model_copy(
            update={name: _resolve(getattr(table, name), folder) for name in type(table).model_fields}
        )
    if isinstance(table, Path):
        return folder / table
    if isinstance(table, tuple):
        return tuple(_resolve(item, folder) for item in table)
    return table


def _resolve_option(name: str, value: Any, folder: Path) -> Any:
    """The options of connectors that name files; a wrong type is left for the connector to report."""
    if isinstance(value, dict):  # `kinds`: one table for each kind of record
        return {inner: _resolve_option(inner, each, folder) for inner, each in value.items()}
    if not isinstance(value, str):
        return value
    if name in _FILE_OPTIONS:
        return str(folder / value)
    if name == "url" and (match := _SQLITE_FILE.fullmatch(value)):
        scheme, file = match.groups()
        return f"{scheme}{folder / file}"
    return value


def _unique(what: str, names: list[str]) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"{what}: {', '.join(sorted(twice))} is there twice")


def _allowed_url(url: str, *, plain_http: str) -> None:
    scheme = urlsplit(url).scheme
    if scheme == "https" or (scheme == "http" and (is_loopback(url) or plain_http == PLAIN_HTTP_WORDS)):
        return
    raise ValueError(f'{url}: must be https (plain HTTP only to loopback, or with plain_http = "{PLAIN_HTTP_WORDS}")')
