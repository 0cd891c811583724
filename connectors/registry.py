"""Opens a connector by its name: the whole list, on one screen."""

from collections.abc import Mapping
from typing import Any

from connectors.contract import Connector, SourceOptionError


def build(connector: str, options: Mapping[str, Any], *, expects: Mapping[str, frozenset[str]]) -> Connector:
    """Open a source.

    `options` come from the `[source]` table of the mapping, overlaid with those of the node's settings.
    `expects` has the columns that the mapping reads of each kind of record (`MappingSpec.columns`): a source without
    one of them is unusable, and its error names the column.
    Raises SourceOptionError naming the option.
    """
    raise SourceOptionError(f"there is no connector {connector!r}")
