"""The tables of a hub's configuration file; `config/hub.toml` shows them filled in."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gateway.settings.telemetry import TelemetryTable
from gateway.settings.values import Listen, MemberId, Table, TlsSettings


class HubTable(Table):
    """The hub itself. `rate_per_minute` and `max_concurrent` are per member."""

    id: MemberId
    federation_document: Path
    operator_key: Path
    data: Path = Path("data")
    keys: Path = Path("keys")
    listen: Listen = ("127.0.0.1", 8400)
    behind_proxy: bool = False  # the last entry of X-Forwarded-For is who asks: a proxy of ours has written it
    rate_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    max_concurrent: Annotated[int, Field(ge=1, le=10_000)] = 64
    max_running: Annotated[int, Field(ge=1, le=100_000)] = 512
    deadline_ms: Annotated[int, Field(ge=100, le=60_000)] = 5000
    plain_http: Literal["loopback only", "traffic may cross the network without TLS"] = "loopback only"
    ca_file: Path | None = None
    tls: TlsSettings | None = None


class HubSettings(Table):
    """A hub's whole configuration file."""

    hub: HubTable
    telemetry: TelemetryTable | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "HubSettings":
        if self.telemetry is not None:
            self.telemetry.apart_from(self.hub.listen)
        return self
