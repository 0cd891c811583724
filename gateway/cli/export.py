"""`patchwork ledger export`: the record as FHIR AuditEvents for an auditor's own tools, one JSON object a line."""

import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from gateway.app.node import Node
from gateway.cli.doubts import told_doubts
from gateway.cli.options import Config, InFederation, node_of, opened, run
from gateway.days import HOUR_S
from gateway.errors import ConfigurationError, InputError
from gateway.node.doubts import Doubts
from gateway.reports.audit_lines import auditor_of, lines_of
from gateway.settings import NodeSettings


def export(
    config: Config,
    federation: InFederation,
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
    settings = node_of(config, federation)
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
    federation = node.settings.federation[0]
    auditor = auditor_of(
        me=node.parts.me.member,
        federation=federation.id,
        hubs=federation.hubs,
        received=node.parts.membership.received,
    )
    async for entry in node.parts.ledger.entries(hour=int(since) // HOUR_S):
        if entry.body is None or entry.body["at"] >= since:
            for line in lines_of(entry, auditor):
                yield line


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
