"""Sources: whether what this node answers from is of today."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.days import DAY_S
from gateway.doctor.finding import Finding, soon, spell, well

CHECK = "import"
OLD_S = 7 * DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """A configured source, and when and how its last run ended (epoch seconds; None: never)."""

    name: str
    outcome: str = ""
    finished_at: float | None = None


def no_source(clients: int) -> str:
    """What a node without a source is; `clients` are on its register all the same."""
    typed = f"what is typed into its pages or uploaded there (clients: {clients})"
    return f"no source is configured: this node can ask others, and answers from {typed}"


def check_sources(sources: Iterable[SourceFacts], now: float, *, clients: int) -> list[Finding]:
    """Nothing here stops a node: it answers from what it has. `clients`: how many are on its register."""
    sources = list(sources)
    found = [finding for source in sources for finding in _check_one(source, now)]
    if not sources:
        return [well(CHECK, no_source(clients))]
    return found or [well(CHECK, f"imported within {OLD_S // DAY_S} days: {', '.join(each.name for each in sources)}")]


def _check_one(source: SourceFacts, now: float) -> list[Finding]:
    do = f"`patchwork import {source.name}`, and see that it is run as often as the data changes"
    if source.finished_at is None:
        return [soon(CHECK, f"source {source.name} has never been imported to its end", do)]
    age = now - source.finished_at
    if source.outcome != "completed":
        return [soon(CHECK, f"the last import of {source.name}, {spell(age)} ago, was {source.outcome}", do)]
    if age > OLD_S:
        return [soon(CHECK, f"source {source.name} was last imported {spell(age)} ago", do)]
    return []
