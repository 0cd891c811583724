"""Opens a connector by its name: the whole list, on one screen."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.contract import Connector, SourceOptionError
from connectors.delimited import DelimitedConnector
from connectors.spreadsheet import SpreadsheetConnector
from connectors.xml import XmlConnector


def _sql(options: Mapping[str, Any], expects: Mapping[str, frozenset[str]]) -> Connector:
    # SQLAlchemy takes a third of a second to load, at each start of a program that seldom needs it.
    from connectors.sql import SqlConnector  # noqa: PLC0415 - see above

    return SqlConnector(options, expects)


_CONNECTORS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, frozenset[str]]], Connector]] = {
    "delimited": DelimitedConnector,
    "spreadsheet": SpreadsheetConnector,
    "sql": _sql,
    "xml": XmlConnector,
}


def build(connector: str, options: Mapping[str, Any], *, expects: Mapping[str, frozenset[str]]) -> Connector:
    """Open a source.

    `options` come from the `[source]` table of the mapping, overlaid with those of the node's settings.
    `expects` has the columns that the mapping reads of each kind of record (`MappingSpec.columns`): a source without
    one of them is unusable, and its error names the column. Elements of XML may be absent, as XML means it.
    Raises SourceOptionError naming the option.
    """
    opened = _CONNECTORS.get(connector)
    if opened is None:
        raise SourceOptionError(f"there is no connector {connector!r}; known are {', '.join(_CONNECTORS)}")
    return opened(options, expects)
