"""What a serving node says of itself to `patchwork doctor`, another process: a small file in its data folder.

Replaced when something changes and each minute, gone when the node stops: an old one is of a node that was killed.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from gateway.doctor.finding import Finding, moment, soon, well, wrong
from gateway.errors import ConfigurationError
from gateway.files import read_file, replace_file
from gateway.settings import NodeSettings
from gateway.wire.limits import KIB

RUNNING_FILE = "running.json"
LOOK_S = 1.0
EVERY_S = 60.0
OLD_S = 150.0  # two that did not come, and a slow disk
MAX_RUNNING_BYTES = 16 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """At `at` (epoch seconds). `settings`: the mark of those that it runs with; `doubt`: why nothing is disclosed.

    `links`: by hub, whether the link that the node opens is there; empty for a node with a port.
    """

    at: float
    settings: str
    doubt: str = ""
    links: Mapping[str, bool]


def mark_of(settings: NodeSettings) -> str:
    """By which two readings of a configuration are told apart; comments and line ends do not count."""
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()


async def keep_telling(folder: Path, look: Callable[[], Running]) -> None:
    """Tell until cancelled; what a full disk keeps from being told is told later."""
    told: Running | None = None
    try:
        while True:
            seen = look()
            if told is None or replace(seen, at=told.at) != told or abs(seen.at - told.at) >= EVERY_S:
                with contextlib.suppress(ConfigurationError):
                    await asyncio.to_thread(replace_file, folder / RUNNING_FILE, orjson.dumps(asdict(seen)))
                    told = seen
            await asyncio.sleep(LOOK_S)
    finally:
        with contextlib.suppress(OSError):
            (folder / RUNNING_FILE).unlink(missing_ok=True)


def look_at_running(folder: Path, now: float) -> Running | None:
    """What a node that runs has told; None where there is nothing, or only something old."""
    try:
        read = orjson.loads(read_file(folder / RUNNING_FILE, MAX_RUNNING_BYTES))
        told = Running(
            at=float(read["at"]),
            settings=str(read["settings"]),
            doubt=str(read["doubt"]),
            links={str(hub): is_open is True for hub, is_open in read["links"].items()},
        )
    except (ConfigurationError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return told if abs(now - told.at) <= OLD_S else None


def check_running(told: Running | None, *, settings: str, dials: bool, start: str) -> list[Finding]:
    """Whether a node runs that opens its links itself, whether they are open, and if it goes by this configuration.

    `settings`: the mark of the file's. Of a node with a port its door says whether it runs.
    """
    if told is None:
        return [wrong("running", "this node does not run, so no question reaches it", f"`{start}`")] if dials else []
    found = []
    if told.settings != settings:
        what = "the configuration has been changed since this node was started, and it goes by the old one"
        found.append(soon("running", what, "start the node again"))
    elif dials:
        found.append(well("running", f"this node runs, and said so at {moment(told.at)}"))
    return found + (_check_links(told.links) if dials else [])


def _check_links(links: Mapping[str, bool]) -> list[Finding]:
    closed = ", ".join(hub for hub, is_open in links.items() if not is_open)
    if not any(links.values()):
        what = f"no link to {closed} is open: no question reaches this node"
        do = "if no other finding says why, `hub_link.closed` in the node's log does; it goes on dialling by itself"
        return [wrong("link", what, do)]
    if closed:
        what = f"no link to {closed} is open: questions come through the others"
        return [soon("link", what, "tell who runs that hub; the node goes on dialling by itself")]
    return [well("link", f"open to {', '.join(links)}")]
