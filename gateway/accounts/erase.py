"""What the pages keep of a person who is erased: work for web.db."""

from collections.abc import Iterable
from typing import Final

from gateway.database.contract import Statement, Work

# Every table with a column `person_id`; tests/unit/accounts/test_erase.py holds it against the schema.
TABLES: Final = (
    "client_seen",
    "notice",
    "invitation",
    "attention_raised",
    "team_watched",
    "problem_report",
)


def forget_person(person_ids: Iterable[int]) -> Work[None]:
    """Delete every row about any of these ids."""
    ids = [(person_id,) for person_id in person_ids]
    yield Statement(  # of an invitation nobody is told whom it is about before they accept: its notice names it alone
        "DELETE FROM notice WHERE item IN (SELECT public_id FROM invitation WHERE person_id = ?) AND item <> ''", ids
    )
    for table in TABLES:
        yield Statement(f"DELETE FROM {table} WHERE person_id = ?", ids)  # noqa: S608 - constants
