"""What an account could see of the others around its clients when it was last compared, as hashes: work for web.db."""

from collections.abc import Iterable, Mapping

from gateway.database.contract import Statement, Work


def watched(account_id: int) -> Work[dict[int, bytes]]:
    """A hash for each client, by person id."""
    return dict((yield Statement("SELECT person_id, seen FROM team_watched WHERE account_id = ?", (account_id,))))


def watch(account_id: int, seen: Mapping[int, bytes], *, no_more: Iterable[int]) -> Work[None]:
    """Keep what is seen now, and forget the clients that are no longer theirs."""
    yield Statement(
        "INSERT INTO team_watched (account_id, person_id, seen) VALUES (?, ?, ?) "
        "ON CONFLICT (account_id, person_id) DO UPDATE SET seen = excluded.seen",
        [(account_id, person_id, each) for person_id, each in seen.items()],
    )
    yield Statement(
        "DELETE FROM team_watched WHERE account_id = ? AND person_id = ?",
        [(account_id, person_id) for person_id in no_more],
    )
