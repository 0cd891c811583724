"""Configuration: one TOML file per node or hub, read into frozen typed settings.

Unknown keys are errors that name the key; paths are relative to the file that names them. Nothing is read from the
environment. Example files stand in config/. Tables stand in `node.py`, those of the pages in `web.py` and `mail.py`,
and in `hub.py`; `values.py` has what they share, and `reading.py` reads them.
"""

from gateway.settings.hub import HubSettings
from gateway.settings.mail import MailTable
from gateway.settings.node import (
    CasesTable,
    MisuseTable,
    NodeSettings,
    PractitionerSettings,
    SourceSettings,
    apart_folders,
)
from gateway.settings.reading import check_hub, check_node, load_hub, load_node
from gateway.settings.telemetry import TelemetryTable
from gateway.settings.values import MEMBER_ID, PLAIN_HTTP_WORDS, TlsSettings, is_loopback
from gateway.settings.web import OidcTable, WebTable

__all__ = [
    "MEMBER_ID",
    "PLAIN_HTTP_WORDS",
    "CasesTable",
    "HubSettings",
    "MailTable",
    "MisuseTable",
    "NodeSettings",
    "OidcTable",
    "PractitionerSettings",
    "SourceSettings",
    "TelemetryTable",
    "TlsSettings",
    "WebTable",
    "apart_folders",
    "check_hub",
    "check_node",
    "is_loopback",
    "load_hub",
    "load_node",
]
