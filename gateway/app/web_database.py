"""The file of the pages, for them and for the commands that look into it: those need nothing else of the pages."""

from gateway.app.node import NODE_FILE, Node
from gateway.database.sqlite import SqliteDatabase, open_sqlite

WEB_FILE = "web.db"


async def open_web_database(node: Node) -> SqliteDatabase:
    """web.db: it writes accounts and what else the pages keep, and reads the node's three other files too."""
    data = node.settings.node.data
    others = {"node": data / NODE_FILE, "ledger": data / "ledger.db", "keys": data / "keys.db"}
    return await open_sqlite(data / WEB_FILE, schema="web", attach=others)
