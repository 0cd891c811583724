"""What the pages keep of a person who is erased: work for web.db."""

from collections.abc import Iterable
from typing import Final

from gateway.database.contract import Statement, Work

# Every table with a column `person_id`; tests/unit/accounts/test_erase.py holds it against the schema.
TABLES: Final = ("client_seen",)


def forget_person(person_ids: Iterable[int]) -> Work[None]:
    """Delete every row about any of these ids."""
    ids = [(person_id,) for person_id in person_ids]
    for table in TABLES:
        yield Statement(f"DELETE FROM {table} WHERE person_id = ?", ids)  # noqa: S608 - constants
