"""What a node keeps of its federation: documents, state, accepted members and sealing keys. SQL, schema `node`."""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.database.contract import Statement, Work
from gateway.wire.federation import Federation


class State(NamedTuple):
    """The newest document by hash, the hub's word on it, and why the node has stopped, if it has."""

    sha256: str
    freshness: str
    alarm: str | None


class Persisted(NamedTuple):
    """`accepted`: member to the hash of the document in which it was accepted; `documents`: those asked for."""

    state: State | None
    accepted: dict[str, str]
    documents: dict[str, bytes]
    statements: dict[str, str]


def read_persisted(federation: str, known: frozenset[str]) -> Work[Persisted]:
    """All that is kept, with those documents that are not `known` by their hash."""
    state = yield Statement("SELECT sha256, freshness, alarm FROM federation_state WHERE federation = ?", (federation,))
    accepted = yield Statement("SELECT member, sha256 FROM federation_accepted WHERE federation = ?", (federation,))
    documents: dict[str, bytes] = {}
    for sha256 in {row[0] for row in state} | {row[1] for row in accepted}:
        if sha256 not in known:
            rows = yield Statement("SELECT token FROM federation_document WHERE sha256 = ?", (sha256,))
            documents[sha256] = rows[0][0]
    statements = yield Statement("SELECT member, statement FROM sealing_key WHERE federation = ?", (federation,))
    return Persisted(
        state=State(*state[0]) if state else None,
        accepted=dict(accepted),
        documents=documents,
        statements=dict(statements),
    )


def write_state(
    received: Federation,
    freshness: str,
    settled: list[str],
    gone: list[str],
    *,
    federation: str,
    now: int,
    instead_of: str | None = None,
) -> Work[None]:
    """Hold this document from now on; `settled` are accepted as it lists them, `gone` are no longer listed.

    `instead_of`: the hash of a document that gives way whatever its number, as one of another operator's key.
    """
    if instead_of is not None:
        yield Statement("DELETE FROM federation_state WHERE federation = ? AND sha256 = ?", (federation, instead_of))
    yield Statement(
        "INSERT INTO federation_document (sha256, federation, seq, token, received_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (sha256) DO NOTHING",
        (received.sha256, federation, received.seq, received.token, now),
    )
    yield Statement(
        "INSERT INTO federation_state (federation, seq, sha256, freshness) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (federation) DO UPDATE SET seq = excluded.seq, sha256 = excluded.sha256,"
        " freshness = excluded.freshness WHERE excluded.seq >= federation_state.seq",
        (federation, received.seq, received.sha256, freshness),
    )
    yield Statement(
        "DELETE FROM federation_accepted WHERE federation = ? AND member = ?", [(federation, member) for member in gone]
    )
    yield from write_accepted(federation, settled, received.sha256, now)


def write_accepted(federation: str, members: list[str], sha256: str, now: int) -> Work[None]:
    """Record that members are accepted as the document of this hash lists them."""
    yield Statement(
        "INSERT INTO federation_accepted (federation, member, sha256, accepted_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (federation, member) DO UPDATE SET sha256 = excluded.sha256, accepted_at = excluded.accepted_at"
        " WHERE federation_accepted.sha256 <> excluded.sha256",
        [(federation, member, sha256, now) for member in members],
    )


def write_alarm(federation: str, alarm: str) -> Work[None]:
    """Stop, until the officer clears it."""
    yield Statement("UPDATE federation_state SET alarm = ? WHERE federation = ?", (alarm, federation))


def forget_state(federation: str) -> Work[None]:
    """Hold no document; who was accepted stays accepted."""
    yield Statement("DELETE FROM federation_state WHERE federation = ?", (federation,))


def forget_federation(federation: str) -> Work[None]:
    """Nothing is held and nobody accepted, as on the first day; the archive of documents stays."""
    yield from forget_state(federation)
    yield Statement("DELETE FROM federation_accepted WHERE federation = ?", (federation,))
    yield Statement("DELETE FROM sealing_key WHERE federation = ?", (federation,))


def write_statements(federation: str, statements: Mapping[str, str]) -> Work[None]:
    """Keep members' newest sealing-key statements."""
    yield Statement(
        "INSERT INTO sealing_key (federation, member, statement) VALUES (?, ?, ?)"
        " ON CONFLICT (federation, member) DO UPDATE SET statement = excluded.statement",
        [(federation, member, statement) for member, statement in statements.items()],
    )
