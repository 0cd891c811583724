"""`patchwork ledger export`: the record as FHIR AuditEvents for an auditor's own tools, one JSON object a line."""

import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import orjson
import typer

from gateway.app.node import Node
from gateway.cli.doubts import told_doubts
from gateway.cli.options import Config, opened, run
from gateway.errors import ConfigurationError, InputError
from gateway.fhir.audit_event import Auditor, Party, audit_events, erased_event
from gateway.node.doubts import Doubts
from gateway.settings import NodeSettings, load_node

_SECONDS_PER_HOUR = 3600


def export(
    config: Config,
    since: Annotated[str, typer.Option(help="The first day, YYYY-MM-DD, in UTC.")],
    out: Annotated[
        Path | None, typer.Option(help="Write to this file, for its owner alone; else to standard output.")
    ] = None,
) -> None:
    """Write what is on record since a day as FHIR AuditEvents (IHE BALP), one a line; exit code 1 if it is in doubt."""
    try:
        first = datetime.combine(date.fromisoformat(since), datetime.min.time(), UTC).timestamp()
    except ValueError:
        raise InputError("--since: a day is YYYY-MM-DD") from None
    settings = load_node(config)
    if out is None:
        count, doubts = run(_export(settings, first, sys.stdout.buffer))
    else:
        with _private(out) as file:
            count, doubts = run(_export(settings, first, file))
    typer.echo(f"AuditEvents written: {count}", err=True)
    if doubts.wrong:
        raise typer.Exit(1)


async def _export(settings: NodeSettings, since: float, file: BinaryIO) -> tuple[int, Doubts]:
    count = 0
    async with opened(settings) as node:
        doubts = await told_doubts(node)
        async for line in _lines(node, since):
            file.write(line)
            count += 1
    file.flush()
    return count, doubts


async def _lines(node: Node, since: float) -> AsyncIterator[bytes]:
    auditor = _auditor(node)
    async for entry in node.parts.ledger.entries(hour=int(since) // _SECONDS_PER_HOUR):
        if entry.body is None:
            header = entry.header
            gone = erased_event(entry.seq, entry.leaf_hash, header.kind_class, header.hour, auditor)
            yield orjson.dumps(gone, option=orjson.OPT_APPEND_NEWLINE)
        elif entry.body["at"] >= since:
            for event in audit_events(entry.seq, entry.leaf_hash, entry.body, auditor):
                yield orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def _auditor(node: Node) -> Auditor:
    received = node.parts.membership.received
    members = {} if received is None else received.members
    federation = node.settings.federation[0]
    return Auditor(
        me=node.parts.me.member,
        federation=federation.id,
        hub=federation.hubs[0],
        members={each.id: Party(name=each.name, address=each.endpoint or "") for each in members.values()},
    )


@contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path`, mode 0600, that takes its place when all has been written, and is gone if not."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        beside.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)
