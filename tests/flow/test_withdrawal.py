"""`patchwork consent withdraw`: whoever withdraws hears what is out already, and who is not told."""

from gateway.cli.left_before import answers_that_left
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


def test_a_withdrawal_before_any_answer_says_so() -> None:
    assert list(answers_that_left([], [])) == ["No answer about this client had left before it."]
