"""A whole day's work of a federation, and not a name, number or date of anybody in what it logs."""

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind
from gateway.errors import PatchworkError
from gateway.events import JsonLines
from tests.federation import federation, someone

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"

PERSONAL = (
    *("katherine", "kate", "bramley", "priya", "nandakumar", "zebedee", "quillfeather", "robin", "worker"),
    *("alex asker", "asker-1", "social worker", "1991", "1988", "1953", "05-17", "02-03", "zm4", "7qt"),
    *("9990000018", "999 000 0018", "9990000107", "01632", "robin.worker", "example.org"),
)


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """All log lines of all libraries at their most talkative: once as they are formatted here, once raw."""
    written = io.StringIO()
    ours, raw = logging.StreamHandler(written), logging.StreamHandler(written)
    ours.setFormatter(JsonLines())
    raw.setFormatter(logging.Formatter("%(name)s %(message)s %(event_fields)s", defaults={"event_fields": ""}))
    raw.addFilter(logging.Filter("patchwork"))
    root, events = logging.getLogger(), logging.getLogger("patchwork")
    before = root.level, events.level
    root.setLevel(logging.DEBUG)
    events.setLevel(logging.DEBUG)
    root.addHandler(ours)
    root.addHandler(raw)
    yield written
    root.removeHandler(ours)
    root.removeHandler(raw)
    root.setLevel(before[0])
    events.setLevel(before[1])


async def test_no_name_number_or_date_of_a_person_reaches_a_log(
    tmp_path: Path, everything_logged: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], lying=True) as north:
        assert north.liar is not None
        for member in (AGENCY, OTHER):
            await north.add(member, *someone("Katherine", "Bramley", "1991-05-17", nhs="9990000018"))
        await north.add(AGENCY, *someone("Priya", "Nandakumar", "1988-02-03", key="p2"))
        await north.record(AGENCY, "p2", ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception"))
        # Disclosed, refused, unknown, refused at the keyboard.
        await north.ask(ASKER, "Kate Bramley", born="1991-05-17", postcode="ZM4 7QT", nhs="999 000 0018")
        await north.ask(ASKER, "Priya Nandakumar", born="1988-02-03")
        await north.ask(ASKER, "Zebedee Quillfeather", born="1953-07-29", nhs="999 000 0107")
        for name, details in (("", {}), ("Kate Bramley", {"born": "1991-05-77"}), ("Kate\u0000Bramley", {})):
            with pytest.raises(PatchworkError) as refused:
                await north.ask(ASKER, name, **details)
            assert not _personal(str(refused.value))
        # An answer that is not valid, a question delivered twice, a fault in the middle, a node that is down.
        north.liar.lines = lambda stream: [{**stream[0], "answer": "AAAA"}, *stream[1:]]
        await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        await north.liar.deliver(AGENCY, north.liar.stolen(AGENCY))
        await north.nodes[AGENCY].parts.ledger.close()
        await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        await north.stop(OTHER)
        await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    logged = everything_logged.getvalue()
    for event in ("question.asked", "answer.released", "question.completed", "answer.invalid", "answer.failed"):
        assert event in logged
    assert "request.failed" in logged
    assert not _personal(logged)
    assert not _personal("".join(capfd.readouterr()))


def _personal(text: str) -> list[str]:
    """The words of PERSONAL that occur; ids of questions, members and times may hold such digits by chance."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{10}\.\d+|127\.0\.0\.1:\d+|[\w-]{43}", "", text)
    return [word for word in PERSONAL if word in text.casefold()]
