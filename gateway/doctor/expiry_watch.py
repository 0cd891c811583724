"""Warns in the log, once a day, of what ends by itself (expiry.py); only what serves does it.

Whoever reads the log of a node or hub hears of it without looking: 30, 7 and 1 day before, then daily until it is done.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from gateway.clock import Clock
from gateway.days import DAY_S
from gateway.doctor.expiry import (
    Ending,
    document_endings,
    hand_over_ending,
    hub_key_endings,
    last_hub_ending,
    member_endings,
)
from gateway.doctor.looking import look_at_tls
from gateway.errors import ConfigurationError, PatchworkError
from gateway.events import emit
from gateway.hub.keys import HubKeys
from gateway.settings import HubSettings, NodeSettings
from gateway.wire.federation import Federation
from gateway.wire.operator import load_operator_keys

SETTLED_S = 60.0  # after the start: by then a federation document has come, if one comes


def node_endings(settings: NodeSettings, document: Federation | None) -> list[Ending]:
    """All that ends at a node, by the newest document; files that cannot be read are for `patchwork doctor` to name."""
    endings: list[Ending] = []
    if document is not None:
        endings += [
            *document_endings(document),
            *last_hub_ending(document),
            *_hand_over(document, settings.federation[0].operator_key, "patchwork node accept-operator"),
            *member_endings(document, settings.node.member),
        ]
    for table in (settings.node.tls, settings.web.tls if settings.web is not None else None):
        endings += look_at_tls(table)[0]
    return endings


def hub_endings(settings: HubSettings, document: Federation | None) -> list[Ending]:
    """All that ends at a hub."""
    endings = look_at_tls(settings.hub.tls)[0]
    if document is None:
        return endings
    try:
        kids = HubKeys(settings.hub.keys).kids
    except ConfigurationError:
        kids = frozenset()
    return [
        *document_endings(document),
        *hub_key_endings(document, kids),
        *_hand_over(document, settings.hub.operator_key, "patchwork hub accept-operator"),
        *endings,
    ]


def _hand_over(document: Federation, pinned: Path, command: str) -> list[Ending]:
    """What of it is to be accepted here; a file of keys that cannot be read is named elsewhere."""
    try:
        accepted = load_operator_keys(pinned).keys
    except PatchworkError:
        return []
    return list(hand_over_ending(document, accepted, do=f"compare the next key's fingerprint, then `{command}`"))


async def keep_warning(endings: Callable[[], Iterable[Ending]], clock: Clock) -> None:
    """Warn for ever, until cancelled."""
    await asyncio.sleep(SETTLED_S)
    while True:
        warn(await asyncio.to_thread(endings), clock.now())
        await asyncio.sleep(DAY_S)


def warn(endings: Iterable[Ending], now: float) -> None:
    """One event for each that is near its end; `days` is 30, 7, 1, or 0 when it is over."""
    for ending in endings:
        days = ending.days_left(now)
        if days is not None:
            level = logging.WARNING if days > 1 else logging.ERROR
            emit("expiry.near", level=level, kind=ending.kind, name=ending.name, days=days, at=int(ending.at))
