"""Cases as the ledger has them: opened with their entry, moved on one step at a time, and the same when recomputed."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from consent_ledger.case import CaseId, CaseKind, CaseRow, Mark, Step
from consent_ledger.case_read import Case, read_case
from consent_ledger.case_table import load_all
from consent_ledger.entries import AskedEntry, Asker, BrokenGlass
from consent_ledger.errors import CaseRefused, HeadMoved
from consent_ledger.kinds import KindClass
from consent_ledger.ledger import Ledger
from consent_ledger.storage import Work
from gateway.database.sqlite import SqliteDatabase

from .conftest import START, Files, answered, unmatched

REVIEW = {"effect": "review", "rule": "reviewed", "mode": "duty-contact"}
CALL_BACK = {"effect": "permit", "rule": "coordination", "mode": "callback"}
OFFICER = {"by": "Olive Officer", "reason": "spoke to both"}
DAY = 86_400


def asker(practitioner: str = "p1", member: str = "childrens-services") -> Asker:
    return Asker(member=member, practitioner=practitioner, name="Asker One", role="r", organisation="o")


def broken_here(jti: str, **changes: Any) -> Any:
    return answered(jti, purpose="BTG", question={"break_glass": "risk-to-life"}, **changes)


ASKED = AskedEntry(
    jti="a",
    query="header.claims.signature",
    query_sha256="c" * 64,
    asker=asker(),
    purpose="BTG",
    recipients=("housing",),
    break_glass=BrokenGlass(code="risk-to-life", words="found unconscious"),
)


async def case_of(storage: SqliteDatabase, text: str) -> Case:
    case = await storage.read(read_case(CaseId.read(text)))
    assert case is not None
    return case


async def ids(storage: SqliteDatabase) -> list[str]:
    return [str(case) for case in sorted(await storage.read(load_all()))]


def unmarked(rows: dict[CaseId, CaseRow]) -> dict[CaseId, CaseRow]:
    """Without what stands in no entry: a case that comes back is told of again."""
    return {case: replace(row, told_to=None, told_hour=None, reminded_hour=None) for case, row in rows.items()}


async def a_week(ledger: Ledger, files: Files) -> None:
    """Cases of every kind, ended, open, refused and absorbed."""
    await ledger.log_answer(broken_here("0"))
    await ledger.log_answer(answered("1", decisions=(REVIEW, CALL_BACK)))
    await ledger.log_answer(answered("2", decisions=(CALL_BACK,)))  # absorbed
    await ledger.log_question(ASKED)
    await ledger.log_answer(answered("4", person_id=8, decisions=(CALL_BACK,)))
    await ledger.mark_case(CaseId.read("break-glass-0"), Mark.TOLD, to="duty manager")
    await ledger.log_case(CaseId.read("break-glass-0"), Step.ACKNOWLEDGED, {"by": "Olive Officer"})
    await ledger.log_case(CaseId.read("break-glass-0"), Step.CLOSED, {"finding": "justified", "by": "O", "words": "w"})
    await ledger.log_case(CaseId.read("review-1"), Step.DECIDED, {"decision": "permit", **OFFICER})
    await ledger.mark_case(CaseId.read("our-break-glass-3"), Mark.REMINDED, to="duty manager")
    files.clock.time += DAY
    await ledger.mark_case(CaseId.read("our-break-glass-3"), Mark.REMINDED, to="duty manager")
    with pytest.raises(CaseRefused):
        await ledger.log_case(CaseId.read("review-1"), Step.DECIDED, {"decision": "refuse", **OFFICER})


async def test_an_answer_opens_the_cases_that_its_decisions_call_for(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ledger.log_answer(answered("0"))
    await ledger.log_answer(answered("1", decisions=({"effect": "deny", "reason": "no-rule"}, REVIEW, REVIEW)))
    await ledger.log_answer(answered("2", decisions=(CALL_BACK, REVIEW)))
    await ledger.log_answer(broken_here("3", decisions=({"effect": "deny", "reason": "no-rule"},)))
    await ledger.log_answer(broken_here("4", decisions=()))
    assert await ids(storage) == ["review-1", "call-back-2", "review-2", "break-glass-3", "break-glass-4"]


async def test_break_glass_about_nobody_known_here_opens_nothing_and_its_leaf_does_not_tell(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ledger.log_answer(replace(unmatched("0"), purpose="BTG"))
    await ledger.log_answer(broken_here("1"))
    unknown, known = [entry async for entry in ledger.entries()]
    assert unknown.body is not None
    assert known.body is not None
    assert (unknown.body["kind"], known.body["kind"]) == ("answered", "break-glass")
    assert unknown.header == known.header
    assert known.header.kind_class is KindClass.DISCLOSURE
    assert await ids(storage) == ["break-glass-1"]


async def test_an_answer_that_is_not_on_record_opens_nothing(files: Files) -> None:
    ledger, storage = await files.ledger()
    with pytest.raises(HeadMoved):
        await ledger.log_answer(broken_here("0", consent_head=5))
    assert await ids(storage) == []


@pytest.mark.parametrize(
    ("again", "after_s", "opened"),
    [
        ({}, 0, False),
        ({}, 7 * DAY - 3600, False),
        ({}, 7 * DAY, True),
        ({"asker": asker("p2")}, 0, True),
        ({"asker": asker(member="police")}, 0, True),
        ({"person_id": 8}, 0, True),
    ],
)
async def test_a_call_is_asked_for_once_in_seven_days_by_one_practitioner_about_one_person(
    files: Files, again: dict[str, Any], after_s: int, opened: bool
) -> None:
    ledger, storage = await files.ledger()
    await ledger.log_answer(answered("0", decisions=(CALL_BACK,)))
    await ledger.log_case(CaseId.read("call-back-0"), Step.DECIDED, {"decision": "called", **OFFICER})
    files.clock.time += after_s
    await ledger.log_answer(answered("1", decisions=(CALL_BACK,), expires_at=int(files.clock.time) + 60, **again))
    assert (await ids(storage) == ["call-back-0", "call-back-2"]) is opened


async def test_two_calls_asked_for_at_the_same_moment_are_one(files: Files) -> None:
    ledger, storage = await files.ledger()
    await asyncio.gather(*(ledger.log_answer(answered(str(n), decisions=(CALL_BACK,))) for n in range(5)))
    assert len(await ids(storage)) == 1


async def test_the_whole_life_of_a_case_is_read_from_its_entries(files: Files) -> None:
    ledger, storage = await files.ledger()
    await a_week(ledger, files)
    case = await case_of(storage, "break-glass-0")
    assert case.opened is not None
    assert case.opened["question"]["break_glass"] == "risk-to-life"
    assert (case.row.told_to, case.row.told_hour) == ("duty manager", int(START) // 3600)
    assert case.acknowledged is not None
    assert case.acknowledged["by"] == "Olive Officer"
    assert case.ended is not None
    assert (case.ended["kind"], case.ended["finding"]) == ("finding", "justified")
    ours = await case_of(storage, "our-break-glass-3")
    assert ours.opened is not None
    assert ours.opened["break_glass"] == {"code": "risk-to-life", "words": "found unconscious"}
    assert ours.row.reminded_hour == int(START + DAY) // 3600


@pytest.mark.parametrize(
    ("case", "steps"),
    [
        ("break-glass-0", [Step.DECIDED]),
        ("break-glass-0", [Step.ACKNOWLEDGED, Step.ACKNOWLEDGED]),
        *(("break-glass-0", [Step.CLOSED, step]) for step in Step),
        ("review-1", [Step.CLOSED]),
        *(("review-1", [Step.DECIDED, step]) for step in Step),
        ("review-0", [Step.ACKNOWLEDGED]),
        ("call-back-99", [Step.DECIDED]),
    ],
)
async def test_a_step_that_may_not_be_taken_is_refused_and_not_on_record(
    files: Files, case: str, steps: list[Step]
) -> None:
    ledger, _ = await files.ledger()
    await ledger.log_answer(broken_here("0"))
    await ledger.log_answer(answered("1", decisions=(REVIEW,)))
    for step in steps[:-1]:
        await ledger.log_case(CaseId.read(case), step, OFFICER)
    before = (await ledger.head()).size
    with pytest.raises(CaseRefused):
        await ledger.log_case(CaseId.read(case), steps[-1], OFFICER)
    assert (await ledger.head()).size == before


async def test_of_two_officers_who_decide_at_once_one_is_refused(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ledger.log_answer(answered("0", decisions=(REVIEW,)))
    other, _ = await files.ledger()
    review = CaseId.read("review-0")
    results = await asyncio.gather(
        ledger.log_case(review, Step.DECIDED, {"decision": "permit", **OFFICER}),
        other.log_case(review, Step.DECIDED, {"decision": "refuse", **OFFICER}),
        return_exceptions=True,
    )
    assert sum(isinstance(each, CaseRefused) for each in results) == 1
    case = await case_of(storage, "review-0")
    assert case.ended is not None
    assert (case.ended["decision"] == "refuse") is isinstance(results[0], CaseRefused)


async def test_cases_recomputed_from_the_entries_alone_are_those_of_the_table(files: Files) -> None:
    ledger, storage = await files.ledger()
    await a_week(ledger, files)
    before = await storage.read(load_all())
    assert len(before) == 5
    assert await ledger.rebuild_cases() == []

    def forget() -> Work[None]:
        yield "DELETE FROM governance_case", ()

    await storage.write(forget())
    assert await ledger.rebuild_cases() == sorted(before)
    assert unmarked(await storage.read(load_all())) == unmarked(before)


@pytest.mark.parametrize(
    ("tampering", "differs"),
    [
        ("DELETE FROM governance_case WHERE kind = 'our-break-glass'", "our-break-glass-3"),
        ("UPDATE governance_case SET ended_seq = 1 WHERE kind = 'our-break-glass'", "our-break-glass-3"),
        ("UPDATE governance_case SET ended_seq = NULL WHERE kind = 'review'", "review-1"),
        (
            "UPDATE governance_case SET opened_hour = opened_hour + 999 WHERE kind = 'our-break-glass'",
            "our-break-glass-3",
        ),
        ("UPDATE governance_case SET opened_seq = 2 WHERE opened_seq = 1 AND kind = 'call-back'", "call-back-1"),
    ],
)
async def test_a_case_that_somebody_took_off_the_list_comes_back(files: Files, tampering: str, differs: str) -> None:
    ledger, storage = await files.ledger()
    await a_week(ledger, files)
    before = await storage.read(load_all())

    def tamper() -> Work[None]:
        yield tampering, ()

    await storage.write(tamper())
    assert differs in [str(case) for case in await ledger.rebuild_cases()]
    assert unmarked(await storage.read(load_all())) == unmarked(before)


async def test_cases_of_somebody_erased_tell_nothing_stay_on_the_list_and_can_be_closed(files: Files) -> None:
    ledger, storage = await files.ledger()
    await a_week(ledger, files)
    await ledger.log_answer(broken_here("last"))
    (case,) = [case for case in await storage.read(load_all()) if case.opened_seq > 4]
    before = await storage.read(load_all())
    await ledger.erase(7)
    assert await ledger.rebuild_cases() == []
    assert await storage.read(load_all()) == before
    assert (await case_of(storage, str(case))).erased
    await ledger.log_case(case, Step.CLOSED, {"finding": "justified", "by": "O", "words": "before it was erased"})
    ended = (await case_of(storage, str(case))).ended
    assert ended is not None
    assert ended["words"] == "before it was erased"
    await ledger.verify()


async def test_the_table_names_nobody(files: Files) -> None:
    ledger, storage = await files.ledger()
    await a_week(ledger, files)

    def cells() -> Work[list[Any]]:
        return [cell for row in (yield "SELECT * FROM governance_case", ()) for cell in row]

    texts = {cell for cell in await storage.read(cells()) if isinstance(cell, str)}
    assert texts == {*(kind.value for kind in CaseKind), "northshire", "duty manager"}


async def test_a_finding_stands_though_the_table_was_made_to_take_another(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ledger.log_answer(broken_here("0"))
    case = CaseId.read("break-glass-0")
    await ledger.log_case(case, Step.CLOSED, {"finding": "justified", "by": "O", "words": "w"})

    def reopen() -> Work[None]:
        yield "UPDATE governance_case SET ended_seq = NULL", ()

    await storage.write(reopen())  # then a second finding gets on record
    await ledger.log_case(case, Step.CLOSED, {"finding": "misuse", "by": "O", "words": "w"})
    assert await ledger.rebuild_cases() == [case]
    ended = (await case_of(storage, "break-glass-0")).ended
    assert ended is not None
    assert ended["finding"] == "justified"
    assert await ledger.rebuild_cases() == []


@pytest.mark.parametrize(
    "text", ["", "review", "review-", "review-x", "-1", "rumour-1", "review-1-1", "review-" + "9" * 30]
)
def test_what_is_not_the_id_of_a_case_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"case|CaseKind"):
        CaseId.read(text)


@pytest.mark.parametrize("kind", CaseKind)
def test_an_id_reads_back_as_it_is_written(kind: CaseKind) -> None:
    case = CaseId(17, kind)
    assert CaseId.read(str(case)) == case
    row = CaseRow(id=case, federation="f", key_id=b"k", opened_hour=1, applied_seq=17)
    assert row.after(Step.ACKNOWLEDGED, seq=18).applied_seq == 18


@pytest.mark.parametrize("mark", Mark)
async def test_what_the_node_tells_by_itself_leaves_no_entry_and_is_told_once(files: Files, mark: Mark) -> None:
    """Whoever sees the ledger grow would know that the question was about somebody."""
    ledger, _ = await files.ledger()
    await ledger.log_answer(broken_here("0"))
    case = CaseId.read("break-glass-0")
    before = await ledger.head()
    await ledger.mark_case(case, mark, to="duty manager")
    assert await ledger.head() == before
    with pytest.raises(CaseRefused):
        await ledger.mark_case(case, mark, to="duty manager")
    assert await ledger.rebuild_cases() == []
