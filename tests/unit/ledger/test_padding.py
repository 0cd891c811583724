"""Fillers: how many, and that nobody's entry comes between them and the size that is signed."""

import pytest

from consent_ledger.governance import RetentionEntry
from consent_ledger.padding import STEP, missing
from tests.unit.ledger.conftest import Files, unmatched


@pytest.mark.parametrize(
    ("others", "fillers"), [(0, STEP), (1, STEP - 1), (STEP - 1, 1), (STEP, 0), (STEP + 1, STEP - 1)]
)
def test_what_is_about_no_question_becomes_a_multiple_and_never_none(others: int, fillers: int) -> None:
    assert missing(others) == fillers


async def test_two_processes_fill_up_what_the_other_has_not(files: Files) -> None:
    ledger, _ = await files.ledger()
    other, _ = await files.ledger()
    await ledger.log_answer(unmatched("0"))
    first = await ledger.filled()
    assert first.size == 1 + STEP
    await other.log_answer(unmatched("1"))
    second = await other.filled()
    assert second.size == 2 + 2 * STEP
    assert (await ledger.verify()).root == second.root().hex()


async def test_more_than_a_step_shows_as_two(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.filled()
    for _ in range(STEP + 1):
        await ledger.note(RetentionEntry(periods={}))
    assert (await ledger.filled()).size == 3 * STEP
