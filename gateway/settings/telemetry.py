"""The `[telemetry]` table: figures and traces for those who run a node or hub. Without it there are none."""

import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from gateway.settings.values import Listen, Table, allowed_url


class TelemetryTable(Table):
    """Where Prometheus asks, and the OpenTelemetry collector that is told, if there is one."""

    listen: Listen = ("127.0.0.1", 9464)
    otlp: Annotated[str, Field(max_length=200)] | None = None  # its base address: /v1/traces, /v1/metrics follow
    ca_file: Path | None = None
    traced_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    every_s: Annotated[int, Field(ge=1, le=3600)] = 60  # figures to the collector

    def apart_from(self, *doors: tuple[str, int]) -> None:
        """Raise ValueError if this is the port of a door for others."""
        if self.listen[1] and self.listen[1] in {port for _, port in doors}:
            raise ValueError("telemetry: listen: must be a port of its own, which others cannot reach")

    @field_validator("listen")
    @classmethod
    def _private(cls, listen: tuple[str, int]) -> tuple[str, int]:
        """Whoever reaches this port reads it: one machine's own or a private network's, never every address."""
        try:
            address = ipaddress.ip_address("127.0.0.1" if listen[0] == "localhost" else listen[0])
        except ValueError:
            raise ValueError("must be an address, as in 127.0.0.1:9464") from None
        if address.is_unspecified or not address.is_private:
            raise ValueError("must be a loopback address or one of a private network: nobody is asked to sign in")
        return listen

    @field_validator("otlp")
    @classmethod
    def _collector(cls, url: str | None) -> str | None:
        if url is None:
            return None
        allowed_url(url, plain_http="loopback only")
        parts = urlsplit(url)
        if not parts.hostname or parts.username or parts.query or parts.fragment:
            raise ValueError("scheme, host and path alone, as in https://collector.example.org")
        return url.rstrip("/")
