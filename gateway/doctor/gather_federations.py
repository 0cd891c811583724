"""Examines a node in each of its federations, and whether they are apart."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gateway.clock import Clock
from gateway.doctor.finding import Finding, wrong
from gateway.doctor.gather_node import examine_node, look_at_keys
from gateway.settings import NodeSettings

_OF_THE_MACHINE = frozenset({"clock", "configuration", "disk", "door", "pages", "running"})


async def examine_nodes(settings: NodeSettings, clock: Clock) -> list[Finding]:
    """All checks of a node; in several federations each finding names those that it is about.

    What is of the machine, and the same in all, is said once and without a name.
    """
    found = {each.federation[0].id: await examine_node(each, clock) for each in settings.apart}
    return [*named(found), *_shared_keys(settings)]


def named(found: Mapping[str, Sequence[Finding]]) -> list[Finding]:
    """The findings of several federations as one list, each once; what was found in one alone stays as it is."""
    where: dict[Finding, list[str]] = {}
    for federation, findings in found.items():
        for each in findings:
            where.setdefault(each, []).append(federation)
    return [
        each
        if len(found) == 1 or (each.check in _OF_THE_MACHINE and len(federations) == len(found))
        else replace(each, what=f"{', '.join(dict.fromkeys(federations))}: {each.what}")
        for each, federations in where.items()
    ]


def _shared_keys(settings: NodeSettings) -> list[Finding]:
    held = {each.federation[0].id: look_at_keys(each) for each in settings.apart}
    by_kid: dict[str, list[str]] = {}
    for federation, facts in held.items():
        for kid in {*facts.signing, *([] if facts.ledger_kid is None else [facts.ledger_kid])}:
            by_kid.setdefault(kid, []).append(federation)
    shared = sorted({" and ".join(federations) for federations in by_kid.values() if len(federations) > 1})
    return [
        wrong(
            "keys",
            f"{each}: one key is in the folders of both, and the node does not start",
            "take the copied folder away, and make keys of its own: `patchwork node add-federation`",
        )
        for each in shared
    ]
