"""Which witnesses vouch for a checkpoint, by the keys to which a federation document leads. Pure.

A member cosigns with its ledger key, which the document lists; the hub with a key that it states under one that the
document lists. Notes come from anybody: what stands under a name proves nothing until the key has verified it.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from consent_ledger.checkpoint import Cosigned, cosigned_by, origin_of
from consent_ledger.note import COSIGNATURE, NoteKey, read
from gateway.errors import WireError
from gateway.node.log_key import log_keys
from gateway.wire.checkpoints import verify_witness_key
from gateway.wire.federation import HUB, Federation


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignatures:
    """Under a note: those that hold; the witnesses in whose name and under whose key something stands that does not;
    and how many more there are, by keys to which the document does not lead.
    """

    vouched: tuple[Cosigned, ...]
    forged: tuple[str, ...]
    unknown: int


def read_cosignatures(note: str, federation: Federation, statements: Sequence[str], *, log: str) -> Cosignatures:
    """Who vouches for a note of `log`, other than itself; `statements` are the hub's. Raises NoteInvalid."""
    under = {(each.name, each.key_id) for each in read(note).signatures if each.name != log}
    names = {name for name, _ in under}
    keys = {(key.name, key.id(COSIGNATURE)): key for key in _keys(names, federation, statements)}
    found = {place: cosigned_by(note, keys[place]) for place in sorted(under & keys.keys())}
    return Cosignatures(
        vouched=tuple(each for each in found.values() if each is not None),
        forged=tuple(name for (name, _), each in found.items() if each is None),
        unknown=len(under - keys.keys()),
    )


def _keys(names: Collection[str], federation: Federation, statements: Sequence[str]) -> Iterator[NoteKey]:
    for member in federation.members.values():
        if origin_of(federation.name, member.id) in names:
            yield from log_keys(federation.name, member)
    for statement in statements:
        with suppress(WireError):  # of a hub key that the document does not list
            yield NoteKey(name=origin_of(federation.name, HUB), public=verify_witness_key(statement, federation))
