"""Whom a command means: SOURCE:KEY into a person's ids."""

from collections.abc import Iterable

from consent_ledger.read import Entry
from consent_ledger.report import formerly_joined
from gateway.app.node import Node
from gateway.errors import InputError
from gateway.node.corrections import names_of
from gateway.node.known_as import KnownAs, known_as


def source_and_key(node: Node, record: str) -> tuple[str, str]:
    """The two halves of SOURCE:KEY; raises InputError, which repeats no key."""
    source, colon, key = record.partition(":")
    if not (source and colon and key):
        raise InputError("a record is named as SOURCE:KEY, as in tenancies:T2")
    known = [each.name for each in node.settings.source]
    if source not in known:
        raise InputError(f"no source of that name is configured; this node has: {', '.join(known) or 'none'}")
    return source, key


async def known_person(node: Node, record: str) -> KnownAs:
    """All ids of the person with this record, there or removed; raises InputError, which repeats no key."""
    source, key = source_and_key(node, record)
    person = await node.database.read(known_as(source, key))
    if person is None:
        raise InputError(f"source {source} has never had a client with this number")
    return person


async def former_names(node: Node, entries: Iterable[Entry], person: KnownAs) -> list[str]:
    """Records (SOURCE:KEY) that an officer had made one person with this one, and that no longer are.

    Of the time when they were one, entries about this person may stand with them.
    """
    former = formerly_joined(entries, person.person_ids)
    return sorted((await node.database.read(names_of(former))).values()) if former else []
