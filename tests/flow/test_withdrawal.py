"""`patchwork consent withdraw`: whoever withdraws hears what is out already, and who is not told."""

import asyncio
from pathlib import Path

from consent_ledger.read import consents_of
from gateway.app.node import open_node
from gateway.cli.left_before import answers_that_left
from gateway.clock import SystemClock
from gateway.node.people import person_by_key
from gateway.settings import load_node
from tests.flow.clients_record import Run

SAID = ("--by", "Wendy Smith")


def test_a_withdrawal_lists_what_had_left_before_it_and_who_else_holds_consents(at_trust: Run) -> None:
    said = at_trust("consent", "withdraw", "--person", "register:p1", *SAID)
    assert not said.failed, said.err
    lines = said.out.splitlines()
    listed = lines[lines.index("2 answers had left before it, and cannot be called back:") + 1 :]
    # Newest first. Entry 5 disclosed nothing: the person had objected by then.
    assert listed[0].startswith("- entry 3, ")
    assert listed[0].endswith("childrens-services was shown up to practitioner")
    assert listed[1].startswith("- entry 2, ")
    assert listed[1].endswith("childrens-services was shown up to schedule")
    assert listed[2].endswith("tell each that holds a consent of theirs: childrens-services")
    assert len(listed) == 3


def test_what_is_said_of_one_record_stays_with_it_should_the_two_be_parted(at_trust: Run, trust: Path) -> None:
    assert not at_trust("consent", "object", "--person", "register:p2", "--mode", "schedule", *SAID).failed
    assert "objection" not in kinds_under(trust, "p1")
    assert kinds_under(trust, "p2") == ["objection", "objection"]  # one was there


def kinds_under(trust: Path, key: str) -> list[str]:
    """What was said of this record alone."""

    async def read() -> list[str]:
        node = await open_node(load_node(trust / "node.toml"), clock=SystemClock())
        try:
            row_id = await node.database.read(person_by_key("register", key))
            assert row_id is not None
            return [entry.kind.value for entry in (await node.database.read(consents_of([row_id])))[0]]
        finally:
            await node.close()

    return asyncio.run(read())


def test_a_withdrawal_before_any_answer_says_so() -> None:
    assert list(answers_that_left([], [])) == ["No answer about this client had left before it."]
