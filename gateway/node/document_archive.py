"""Federation documents of the past, as this node keeps all of them (docs/ledger.md, "Evidence")."""

from gateway.database.contract import Statement, Work
from gateway.errors import InputError
from gateway.wire import jws
from gateway.wire.archive import named_document
from gateway.wire.federation import read_member
from gateway.wire.limits import MAX_DOCUMENT_BYTES


def document_of(token: str | None, at: float) -> Work[str]:
    """The document that a question or answer names; without either, the one that was held at that time.

    Raises InputError if it is not archived here.
    """
    if token is not None:
        rows = yield Statement("SELECT token FROM federation_document WHERE sha256 = ?", (named_document(token),))
    else:
        rows = yield Statement(_HELD_AT, (int(at),))
    if not rows:
        raise InputError("the federation document of that time is not archived here")
    return _text(rows[0][0])


def documents_since(at: float) -> Work[list[str]]:
    """The document that was held at a time, and the newest of all: one, two, or (of what came later) one."""
    held = yield Statement(_HELD_AT, (int(at),))
    newest = yield Statement("SELECT token FROM federation_document ORDER BY seq DESC LIMIT 1")
    return list(dict.fromkeys(_text(token) for (token,) in (*held, *newest)))


def was_listed(kid: str, *, member: str, federation: str) -> Work[bool]:
    """Whether any document that came here listed this signing key of a member: a revoked one is in older ones alone."""
    hashes = yield Statement(
        "SELECT sha256 FROM federation_document WHERE federation = ? ORDER BY seq DESC", (federation,)
    )
    for row in hashes:
        rows = yield Statement("SELECT token FROM federation_document WHERE sha256 = ?", tuple(row))
        entries = jws.peek(rows[0][0], max_bytes=MAX_DOCUMENT_BYTES)["members"]  # verified when it was taken
        own = (read_member(entry) for entry in entries if entry["id"] == member)
        if any(key.key.kid == kid for each in own for key in each.keys):
            return True
    return False


_HELD_AT = "SELECT token FROM federation_document WHERE received_at <= ? ORDER BY received_at DESC, seq DESC LIMIT 1"


def _text(token: bytes) -> str:
    return token.decode("ascii")
