"""People, practitioners, services and involvements that were typed into a page instead of coming from a source.

They are rows of one source of their own, NATIVE, that no import writes. A reference of theirs may be SOURCE:KEY, a row
of another source: somebody without a case system works with a client whom one has. `relink` fills such references in,
when a row is stored and again after every import, for a row that another source removed may have come back.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import uuid4

from gateway.database.contract import Statement, Work
from gateway.errors import InputError
from gateway.node.overlays import relink_covers
from gateway.node.people import Source, look_up, remove_unyielded, store_rows
from gateway.node.rows import TABLES, Ids, fill_in, row_of, source_and_key, waiting_keys
from gateway.node.same_person import index_pending
from mappings.model import ContactEvent, Involvement, Organisation, Person, PersonLink, Practitioner, Service

NATIVE: Final = "pages"
UPLOADED: Final = "upload-"  # begins the names of the sources that lists uploaded to a page are; they refer likewise

# All but consents: those go into the ledger at once, and no import would ever record one that waits here.
NativeItem = Person | Organisation | Service | Practitioner | Involvement | ContactEvent | PersonLink


def new_key() -> str:
    """A key for a new row of this source; it has no colon, so that it cannot be taken for SOURCE:KEY."""
    return uuid4().hex


def reference(source: str, key: str) -> str:
    """How a native row names a row of any source."""
    return f"{source}:{key}"


def native_source(federation: str) -> Work[Source]:
    """The source of what is typed in, made when it is first needed; raises InputError if it is another federation's."""
    yield Statement(
        "INSERT INTO import_source (name, federation) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (NATIVE, federation)
    )
    ((source_id, stored),) = yield Statement("SELECT id, federation FROM import_source WHERE name = ?", (NATIVE,))
    if stored != federation:
        raise InputError(f"source {NATIVE}: belongs to another federation already")
    return Source(source_id, NATIVE, federation)


def store(source: Source, *items: NativeItem) -> Work[Ids]:
    """Insert or replace what was typed in, linked and findable when this ends; the id of each, by kind and key."""
    ids = yield from store_rows(source, [row_of(item) for item in items])
    yield from _link(source.id)
    yield from index_pending()
    return ids


def remove(source: Source, kind: str, keys: Sequence[str]) -> Work[None]:
    """Remove native rows of one kind; keys that are not there, and other sources' rows, are left alone."""
    found = yield from look_up(kind, source.id, keys)
    yield from remove_unyielded((kind, row_id) for row_id, _ in found.values())
    yield from index_pending()


def relink() -> Work[None]:
    """Fill in the references of native rows, and of what practitioners said, to what has come, or come back, since."""
    sources = yield Statement(
        "SELECT id FROM import_source WHERE name = ? OR substr(name, 1, ?) = ?", (NATIVE, len(UPLOADED), UPLOADED)
    )
    for (source_id,) in sources:
        yield from _link(source_id)
    yield from relink_covers()


def _link(source_id: int) -> Work[None]:
    for table in TABLES:
        for each in table.references:
            waiting = yield Statement(waiting_keys(table.kind, each), (source_id,))
            found = yield from _named((key for (key,) in waiting), each.kind, source_id)
            yield Statement(fill_in(table.kind, each), [(row_id, source_id, key) for key, row_id in found.items()])


def _named(keys: Iterable[str], kind: str, source_id: int) -> Work[dict[str, int]]:
    """The rows that are there of those that native rows name: by SOURCE:KEY, or by a key of this source alone."""
    named: dict[str, int] = {}
    for key in keys:
        source, colon, foreign = key.partition(":")
        sources = [(source_id,)]
        if colon:
            sources = yield Statement("SELECT id FROM import_source WHERE name = ?", (source,))
        for (at,) in sources:
            for row_id, digest in (yield from look_up(kind, at, [foreign if colon else key])).values():
                if digest is not None:  # else a person who has been removed
                    named[key] = row_id
    return named


def references_to(kind: str, row_ids: Iterable[int]) -> Work[dict[int, str]]:
    """By row id, how a native row names these rows of a kind; those that are not there are left out."""
    named: dict[int, str] = {}
    for row_id in row_ids:
        for source, key in (yield Statement(source_and_key(kind), (row_id,))):
            named[row_id] = reference(source, key)
    return named
