"""Examines a node in each of its federations, and whether they are apart."""

from dataclasses import replace

from gateway.clock import Clock
from gateway.doctor.finding import Finding, wrong
from gateway.doctor.gather_node import examine_node, look_at_keys
from gateway.settings import NodeSettings


async def examine_nodes(settings: NodeSettings, clock: Clock) -> list[Finding]:
    """All checks of a node; in several federations each finding names its own, but what is true in all is said once."""
    found = {each.federation[0].id: await examine_node(each, clock) for each in settings.apart}
    everywhere = [each for each in next(iter(found.values())) if all(each in others for others in found.values())]
    named = [
        replace(each, what=f"{federation}: {each.what}")
        for federation, findings in found.items()
        for each in findings
        if each not in everywhere
    ]
    return [*everywhere, *named, *_shared_keys(settings)]


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
