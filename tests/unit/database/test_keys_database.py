"""An erased key is gone from every file at once, while the node runs on."""

from pathlib import Path

from consent_ledger import keystore
from gateway.database.sqlite import open_sqlite

FEDERATION = "orchard"


def on_disk(folder: Path) -> bytes:
    """All bytes of the database, its write-ahead log and its index."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_an_erased_key_lingers_nowhere_while_the_database_stays_open(tmp_path: Path) -> None:
    database = await open_sqlite(tmp_path / "keys.db", schema="keys")
    try:
        keys = await database.write(keystore.make(range(1, 40), FEDERATION))
        assert keys[7].secret in on_disk(tmp_path)
        assert await database.write(keystore.destroy(7, FEDERATION, {}))
        assert keys[7].secret not in on_disk(tmp_path)
        assert keys[8].secret in on_disk(tmp_path)
    finally:
        await database.close()
