"""Breaking the glass as people do: commands as processes beside two serving nodes, under the example agreement."""

import asyncio
import io
import re
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.node.results import MemberOutcome
from mappings.vocabulary import Sensitivity
from tests.federation import TestFederation, federation, result_of, someone
from tests.flow.commands import Ran, patchwork

EXAMPLE = Path(__file__).parents[2] / "config" / "agreements" / "children-and-families.toml"
ASKER, AGENCY = "childrens-services", "community-trust"
ASK = ("search", "Katherine Bramley", "--born", "1991-05-17", "--postcode", "ZM4 7QT")
BREAK_GLASS = ("--break-glass", "risk-to-life", "--reason", "she said so on the telephone")
CLOSE = ("--finding", "justified", "--by", "Olive Officer", "--words", "ambulance was sent")


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Two agencies; the trust's restricted service works with Katherine."""
    async with federation(tmp_path, [ASKER, AGENCY], agreement=EXAMPLE, now=time.time()) as running:
        person = someone("Katherine", "Bramley", "1991-05-17", service="CAMHS", sensitivity=Sensitivity.RESTRICTED)
        await running.add(AGENCY, *person)
        yield running


async def run(north: TestFederation, member: str, *words: str, typed: str = "", later: bool = False) -> Ran:
    """One command at a member, while the nodes serve."""
    config = ("-c", str(north.folder / member / "node.toml"))
    first, *rest = words
    ran = await asyncio.to_thread(patchwork, north.folder, first, *rest, *config, typed=typed, later=later)
    assert "Traceback" not in ran.said
    return ran


async def test_a_broken_glass_ends_with_a_finding_at_both_agencies(north: TestFederation) -> None:
    everyday = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17", postcode="ZM4 7QT")
    assert result_of(everyday, AGENCY).outcome is MemberOutcome.NOTHING_TO_DISCLOSE
    broken = await run(north, ASKER, *ASK, *BREAK_GLASS, typed="risk-to-life\n")
    assert broken.code == 0, broken.said
    assert "Cases: 1 open, 0 overdue: patchwork cases" in (await run(north, ASKER, "node", "status")).out
    assert "An officer of each" in broken.err
    assert "Duty contact" in broken.out
    assert "Robin Worker" not in broken.out
    for member, kind in ((AGENCY, "break-glass"), (ASKER, "our-break-glass")):
        overdue = await run(north, member, "cases", later=True)
        assert "1 case open, 1 overdue" in overdue.out
        (case,) = re.findall(rf"│ ({kind}-[0-9]+) ", overdue.out)
        closed = await run(north, member, "cases", "close", case, *CLOSE)
        assert closed.code == 0, closed.said
        shown = await run(north, member, "cases", "show", case)
        assert "risk-to-life" in shown.out
        assert "Alex Asker" in shown.out
        assert "justified: ambulance was sent" in shown.out
    assert "Cases:" not in (await run(north, ASKER, "node", "status")).out
    assert "No case is open." in (await run(north, AGENCY, "cases", later=True)).out


async def test_nobody_is_asked_before_it_is_allowed_and_confirmed(north: TestFederation) -> None:
    for typed, says in (("yes\n", "not confirmed: nothing was asked"), ("", "nobody has confirmed it: nothing was")):
        ended = await run(north, ASKER, *ASK, *BREAK_GLASS, typed=typed)
        assert (ended.code, says in ended.err) == (1, True), ended.said
    refused = await run(north, ASKER, *ASK, *BREAK_GLASS, "--basis", "consent", typed="risk-to-life\n")
    assert refused.code == 1
    assert "for break-glass on the basis consent, but on: public-task, vital-interests" in refused.err
    assert "You are about to break the glass" not in refused.err  # nobody has to confirm what nothing allows
    assert await north.ledger(AGENCY) == []


@pytest.mark.parametrize(
    ("options", "typed", "says"),
    [
        (BREAK_GLASS[:2], "", "say with --reason, in words"),
        ((*BREAK_GLASS[:3], "  "), "", "say with --reason, in words"),
        (("--break-glass", "curiosity", *BREAK_GLASS[2:]), "", "the reason for break-glass is one of risk-to-life"),
        (BREAK_GLASS[2:], "", "--reason goes with --break-glass"),
        ((*BREAK_GLASS, "--purpose", "safeguarding"), "", "leave --purpose out"),
        (("--purpose", "break-glass"), "", "to break the glass, use --break-glass"),
    ],
)
def test_nobody_breaks_the_glass_by_accident(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    typed: str,
    says: str,
) -> None:
    config = tmp_path / "node.toml"
    config.write_text(
        '[node]\nmember = "housing"\n[[federation]]\nid = "f"\noperator_key = "o.jwk"\nhubs = ["http://127.0.0.1:9"]\n'
        '[[practitioner]]\nid = "wendy"\nname = "Wendy Smith"\nrole = "Housing officer"\n'
    )
    monkeypatch.setattr(sys, "argv", ["patchwork", *ASK, *options, "-c", str(config)])
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert says in capsys.readouterr().err
    assert not (tmp_path / "data").exists()  # no node was opened, let alone anything asked
