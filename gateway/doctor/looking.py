"""How facts are gathered, for node and hub alike: databases read-only, certificates, doors. Nothing is changed."""

import os
import shutil
import sqlite3
import ssl
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import aiohttp
import orjson
from cryptography import x509

from gateway.database.contract import Work
from gateway.database.migrate import migrations
from gateway.database.sqlite_connection import BUSY_TIMEOUT_MS, engine_errors
from gateway.doctor.doors import DoorFacts
from gateway.doctor.expiry import Ending, certificate_ending
from gateway.doctor.storage import DatabaseFacts, DiskFacts
from gateway.errors import ConfigurationError, StorageError
from gateway.files import read_file
from gateway.http import server_tls
from gateway.links.reply import read_bounded
from gateway.settings import TlsSettings
from gateway.wire.limits import KIB
from gateway.wire.paths import READY_PATH

T = TypeVar("T")

DOOR_S = 5.0
MAX_REPLY_BYTES = 64 * KIB
MAX_CERTIFICATE_BYTES = 256 * KIB
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where such a door is looked at from here


def look_at_database(file: Path, schema: str) -> DatabaseFacts:
    """Whether a database is there, whole, and of this version."""
    try:
        state = file.stat()
    except FileNotFoundError:
        return DatabaseFacts(file=file, exists=False)
    except OSError as error:
        return DatabaseFacts(file=file, problem=f"{file}: cannot be looked at: {error.strerror}")
    known, mode = len(migrations("sqlite", schema)), state.st_mode & 0o777
    writable = os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)
    if state.st_uid != os.geteuid():
        return DatabaseFacts(file=file, ours=False, known=known, mode=mode)
    try:
        with engine_errors(f"{schema} database {file.name}"), closing(_connect(file)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (first,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except StorageError as error:
        return DatabaseFacts(file=file, problem=str(error), known=known, mode=mode, writable=writable)
    problem = (
        "" if first == "ok" else f"{schema} database {file.name}: the file is damaged"
    )  # `first` may quote a value
    return DatabaseFacts(file=file, problem=problem, version=version, known=known, mode=mode, writable=writable)


def read_only(file: Path, work: Work[T]) -> T:
    """Drive read-only work without opening the node; raises StorageError, and what the work raises."""
    with engine_errors(f"database {file.name}"), closing(_connect(file)) as connection:
        rows = None
        while True:
            try:
                sql, params = work.send(rows)  # type: ignore[arg-type]  # a generator's first send must be None
            except StopIteration as finished:
                result: T = finished.value
                return result
            rows = connection.execute(sql, params).fetchall()


def look_at_disk(folder: Path) -> DiskFacts:
    """Of the folder, or of the nearest above it that exists."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    writable = os.access(there, os.W_OK | os.X_OK)
    return DiskFacts(folder=folder, free=shutil.disk_usage(there).free, writable=writable)


def look_at_tls(table: TlsSettings | None) -> tuple[list[Ending], list[str]]:
    """When a certificate of one's own ends, and what is wrong with its files."""
    if table is None:
        return [], []
    try:
        server_tls(table.certificate, table.key)
        pem = read_file(table.certificate, MAX_CERTIFICATE_BYTES)
        certificate = x509.load_pem_x509_certificate(pem)  # the first is the server's own
    except ConfigurationError as error:
        return [], [str(error)]
    except ValueError:
        return [], [f"{table.certificate}: not a certificate"]
    return [certificate_ending(table.certificate, certificate.not_valid_after_utc.timestamp())], []


async def look_at_door(listen: tuple[str, int], *, tls: bool, path: str = READY_PATH) -> DoorFacts:
    """What our own process says where it is configured to listen."""
    host, port = listen
    address = f"{host}:{port}"
    near = _ANYWHERE.get(host, host)
    url = f"{'https' if tls else 'http'}://{f'[{near}]' if ':' in near else near}:{port}{path}"
    # Whether a name fits the certificate is for those to see who come by that name: this is the machine itself.
    connector = aiohttp.TCPConnector(ssl=False)
    timeout = aiohttp.ClientTimeout(total=DOOR_S)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            body = await read_bounded(response.content, MAX_REPLY_BYTES) if path == READY_PATH else b""
            return DoorFacts(address=address, status=response.status, code=_code(body))
    except TimeoutError:
        return DoorFacts(address=address, problem=f"no reply within {DOOR_S:.0f} s")
    except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
        return DoorFacts(address=address, problem=type(error).__name__)


def _code(body: bytes) -> str:
    try:
        code = orjson.loads(body)["issue"][0]["details"]["coding"][0]["code"]
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
        return ""
    return code if isinstance(code, str) and code.isascii() and code.replace("-", "").isalnum() else ""


def _connect(file: Path) -> sqlite3.Connection:
    if file.exists() and file.stat().st_uid != os.geteuid():
        # SQLite would leave files beside it that its owner cannot use.
        raise StorageError(f"database {file.name}: belongs to another user")
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection
