"""Figures of one node in several federations as one registry: each sample says in a label whose it is."""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.telemetry.figures import Figures

_OF_THE_PROCESS: Final = ("process_", "patchwork_build_info")  # told once


def by_federation(figures: Mapping[str, Figures]) -> CollectorRegistry:
    """By federation; the registry of an only one as it is, without the label."""
    if len(figures) == 1:
        (only,) = figures.values()
        return only.registry
    registry = CollectorRegistry()
    registry.register(_Labelled(figures))
    return registry


class _Labelled(Collector):
    def __init__(self, figures: Mapping[str, Figures]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Families of one name together, as the text format wants them."""
        families: dict[str, Metric] = {}
        for federation, figures in self._figures.items():
            for family in figures.registry.collect():
                if family.name.startswith(_OF_THE_PROCESS):
                    families.setdefault(family.name, family)
                    continue
                merged = families.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type, family.unit)
                )
                merged.samples += [
                    each._replace(labels={"federation": federation, **each.labels}) for each in family.samples
                ]
        yield from families.values()
