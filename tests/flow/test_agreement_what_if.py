"""`patchwork agreement what-if`: a draft against what a node really decided, while it goes on serving."""

import asyncio
from pathlib import Path

from consent_ledger.consent import ConsentEntry, ConsentKind
from consent_ledger.read import accepted_agreements
from tests.federation import AGREEMENT, NAME, federation, someone
from tests.flow.commands import in_process


async def test_a_draft_is_held_against_the_questions_on_record_and_changes_nothing(tmp_path: Path) -> None:
    text = AGREEMENT.read_text("utf-8")
    draft, strict, foreign, other = (tmp_path / f"{name}.toml" for name in ("draft", "strict", "foreign", "other"))
    draft.write_text(text.replace('version = "1"', 'version = "2"', 1))
    strict.write_text(text.replace('mode = "schedule"', 'mode = "duty-contact"', 1))
    foreign.write_text(text.replace(', "housing"', "", 1))
    other.write_text(text.replace("/agreements/tests", "/agreements/others", 1))
    async with federation(tmp_path, ["childrens-services", "housing"]) as north:
        await north.add("housing", *someone("Katherine", "Bramley", "1991-05-17"))
        await north.ask("childrens-services", "Katherine Bramley", born="1991-05-17")
        await north.ask("childrens-services", "Nobody Known", born="1980-01-01")
        await north.record("housing", "p1", ConsentEntry(kind=ConsentKind.OBJECTION))
        await north.ask("childrens-services", "Katherine Bramley", born="1991-05-17")
        node = north.nodes["housing"]
        before = (await node.parts.ledger.head(), await node.database.read(accepted_agreements(NAME)))

        async def what_if(file: Path, *more: str) -> tuple[int, str]:
            config = str(tmp_path / "housing" / "node.toml")
            ran = await asyncio.to_thread(in_process, "agreement", "what-if", str(file), "-c", config, *more)
            return ran.code, " ".join(ran.said.split())

        code, same = await what_if(draft)
        assert code == 0, same
        assert "Replayed: 2 questions, 2 decisions. Nothing was changed. Would change: 0," in same
        assert "because nobody with a team was found: 1." in same

        code, said = await what_if(strict, "--out", str(tmp_path / "changes.csv"))
        assert code == 0, said
        assert "Would change: 1, of these 0 to disclose more, 1 to disclose less," in said
        assert "childrens-services, coordination" in said
        assert "schedule (coordination)" in said
        assert "duty-contact (coordination)" in said
        assert "Bramley" not in said
        (row,) = (tmp_path / "changes.csv").read_text("utf-8").splitlines()[1:]
        assert row.split(",")[1:] == (
            [
                "2026-09-21",
                "childrens-services",
                "COC",
                "schedule",
                "coordination",
                "",
                "duty-contact",
                "coordination",
                "",
            ]
        )

        assert "because they named an agreement of another address: 2." in (await what_if(other))[1]
        code, refused = await what_if(foreign)
        assert code == 1
        assert "housing is not a party to this agreement" in refused
        config = str(tmp_path / "housing" / "node.toml")
        ran = await asyncio.to_thread(in_process, "agreement", "lint", str(AGREEMENT), "-c", config)
        assert ran.code == 1  # the federation has nobody whom its rules for safeguarding let be asked
        assert "police is a party, but not an active member of the federation." in ran.out
        assert "the only party that may ask under it is the only one that may be asked" in ran.out
        assert (await node.parts.ledger.head(), await node.database.read(accepted_agreements(NAME))) == before
