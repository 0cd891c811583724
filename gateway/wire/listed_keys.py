"""Which signing keys an operator has ever listed: one that a document lists no longer may be in a thief's hands.

They lie in the operator's folder, for a document names only those of now. The keys of a document are remembered before
the next one takes its place: so whatever broke off, file and document together hold all.
"""

from collections.abc import Mapping
from pathlib import Path

import orjson

from gateway.errors import ConfigurationError, MalformedMessage
from gateway.files import read_file, replace_file
from gateway.wire.claims import identifier, nested, only, read_claims
from gateway.wire.limits import MAX_DOCUMENT_BYTES
from gateway.wire.membership import Federation

LISTED_FILE = "listed-keys.json"


def ever_listed(folder: Path, document: Federation) -> Mapping[str, str]:
    """By key, whose it was or is; raises ConfigurationError for a file that is not one of remember()."""
    return _kept(folder / LISTED_FILE) | _of(document)


def remember(folder: Path, document: Federation) -> None:
    """Keep what a document lists, before another takes its place."""
    file = folder / LISTED_FILE
    kept = _kept(file)
    if not _of(document).items() <= kept.items():
        replace_file(file, orjson.dumps({"keys": kept | _of(document)}))


def _of(document: Federation) -> dict[str, str]:
    return {key.key.kid: member.id for member in document.members.values() for key in member.keys}


def _kept(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    try:
        table = read_claims(read_file(file, MAX_DOCUMENT_BYTES), max_bytes=MAX_DOCUMENT_BYTES)
        only(table, frozenset({"keys"}))
        keys = nested(table, "keys")
        return {kid: identifier(keys, kid) for kid in keys}
    except MalformedMessage as error:
        raise ConfigurationError(f"{file}: not the keys that were ever listed: {error}") from error
