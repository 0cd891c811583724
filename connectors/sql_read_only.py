"""Opens a database so that nothing can be written: twice over where the engine helps.

First a statement must be a single SELECT by its words (refused when the source is configured). Then the transaction is
read-only and sees one snapshot where the engine has that; it is always rolled back. A login that may only read remains
the agency's own third safeguard (docs/connecting-a-case-system.md).
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

CONNECT_TIMEOUT_S = 10
_QUOTED = re.compile(
    r"""'(?:[^'\\]|''|\\.)*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] | --[^\r\n]* | /\*.*?\*/""", re.VERBOSE | re.DOTALL
)
_WRITES = re.compile(
    r"\b(insert|update|delete|merge|into|create|alter|drop|truncate|grant|revoke|call|exec|execute|copy|attach|detach"
    r"|pragma|vacuum|lock|set|declare|begin|commit)\b",
    re.IGNORECASE,
)
_READ_ONLY = {
    "sqlite": ("PRAGMA query_only = ON", "BEGIN"),
    "postgresql": ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",),
    "mysql": ("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",),
    "mariadb": ("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",),
    "oracle": ("SET TRANSACTION READ ONLY",),
}
_TIMEOUT_OPTION = {"psycopg": "connect_timeout", "psycopg2": "connect_timeout", "pymysql": "connect_timeout"}


def why_not_a_query(query: str) -> str:
    """Why a text is not a single SELECT; empty if it is one."""
    bare = _QUOTED.sub(" ", query).strip().removesuffix(";").strip()
    words = bare.split(None, 1)
    if not words or words[0].casefold() not in ("select", "with"):
        return "must begin with SELECT or WITH"
    if re.search(r"""['"`;]|/\*|\$\$""", bare):
        return "must be one statement, with every quotation and comment closed"
    if found := _WRITES.search(bare):
        return f"must only read, but has the word {found[0].upper()}"
    return ""


@contextmanager
def connected(url: sa.URL) -> Iterator[sa.Connection]:
    """Open a read-only transaction; everything is closed and rolled back at the end."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            for command in _READ_ONLY.get(engine.dialect.name, ()):
                connection.exec_driver_sql(command)
            yield connection
            connection.rollback()
    finally:
        engine.dispose()


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        # SQLite would create a missing file; opened in this mode it cannot.
        file = f"file:{quote(str(Path(url.database).absolute()))}?mode=ro"
        return sa.create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(file, uri=True, timeout=CONNECT_TIMEOUT_S, check_same_thread=False),
            poolclass=sa.NullPool,
        )
    option = _TIMEOUT_OPTION.get(url.get_driver_name())
    return sa.create_engine(
        url, connect_args={option: CONNECT_TIMEOUT_S} if option else {}, poolclass=sa.NullPool, hide_parameters=True
    )
