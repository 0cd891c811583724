"""What a client says of sharing, recorded on the pages: it acts on the next answer, and tells of no hidden service."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind, Giver, Provision, Relation
from consent_ledger.entries import AnsweredEntry, Asker
from consent_ledger.read import consents_of
from gateway.accounts.account import Role
from mappings.model import HumanName, Involvement, Mapped, Practitioner, Service
from mappings.vocabulary import Mode, Sensitivity
from tests.federation import TestFederation, federation, result_of, someone
from tests.web.clients import CODE, SECRETS, TRUST, fill, rae
from tests.web_user import Fields, Shown, WebUser

BANK = "food-bank"
HOUSING = "housing"
HIDDEN = "CAMHS"
HOSTILE = "<script>alert(1)</script>\"'{{7*7}}</td>"

WHO: Fields = {"relation": "person", "method": "spoken"}
WHAT: Fields = {"mode": "practitioner", "whom": "all"}
LIMITS: Fields = {"reasons": "all", "services": "all", "until": "1-year"}
EVERYTHING: Fields = {**WHO, "mode": "callback", "whom": "all", "reasons": "all", "services": "all"}
PAGES = (
    "/consent",
    "/consent/record",
    "/consent/object",
    "/consent/withdraw",
    "/consent/withdraw/done",
    "/consent/leaflet",
    "/consent/leaflet/easy-read",
)


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """A food bank that tells who works with somebody only if they agree, and a housing provider that asks it."""
    async with federation(tmp_path, [BANK, HOUSING], web=True) as running:
        await running.add(BANK, *someone("Katherine", "Bramley", "1991-05-17", service="meals", worker="Mo Meals"))
        await running.add(BANK, *someone("Owen", "Pritchard", "1990-04-04", key="o1", service="meals"))
        yield running


@pytest.fixture
async def trust(tmp_path: Path) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path, [TRUST], web=True) as running:
        await fill(running)
        yield running


async def mo(bank: TestFederation, *roles: Role) -> WebUser:
    return await bank.sign_in(BANK, *(roles or (Role.PRACTITIONER,)), name="Mo Meals", workers=["w-p1"])


async def told(bank: TestFederation) -> bool:
    completed = await bank.ask(HOUSING, "Katherine Bramley", born="1991-05-17")
    return "Mo Meals" in str(result_of(completed, BANK))


async def record(user: WebUser, how: str, fields: Fields) -> Shown:
    return await user.post(f"/clients/1/consent/{how}", {**fields, "go": "record"})


async def on_record(north: TestFederation, member: str) -> list[ConsentEntry]:
    consents, _ = await north.pages[member].site.database.read(consents_of([1]))
    return list(consents)


async def test_an_agreement_recorded_on_the_page_is_told_and_its_withdrawal_stops_the_very_next_answer(
    bank: TestFederation,
) -> None:
    assert not await told(bank)
    user = await mo(bank)
    page = await record(user, "record", {**WHO, **WHAT, **LIMITS})
    assert (page.status, page.path) == (200, "/clients/1/consent/record/done")
    assert "They agreed" in page.words
    assert "21 September 2027" in page.words
    assert await told(bank)
    page = await record(user, "withdraw", EVERYTHING)
    assert not await told(bank)
    assert re.search(r"21 September 2026, \d\d:\d\d Housing The named practitioner and how to reach them", page.words)
    assert "they, or you for them, have to tell: Housing" in page.words
    agreed, withdrawn = await on_record(bank, BANK)
    assert (agreed.recorded_by, withdrawn.recorded_by) == (user.id, user.id)
    assert agreed.method == "spoken, face to face"


async def test_an_objection_is_recorded_and_stands_beside_an_earlier_agreement(bank: TestFederation) -> None:
    user = await mo(bank)
    await record(user, "record", {**WHO, **WHAT, **LIMITS})
    page = await record(user, "object", {**EVERYTHING, "whom": "some", "agency": [HOUSING]})
    assert "They do not want sharing" in page.words
    assert not await told(bank)
    part = {"mode": "practitioner", "whom": "but", "agency": ["police-force"]}
    check = await user.post("/clients/1/consent/object", {**EVERYTHING, **part, "go": "check"})
    assert "You do not want us to tell any agency except police forces: who works with you by name." in check.words
    page = await user.get("/clients/1/consent")
    assert "They object to other agencies being told" in page.words
    assert "Which agencies Housing" in page.words


async def test_each_step_asks_for_what_is_missing_and_nothing_is_on_record_before_the_last(
    bank: TestFederation,
) -> None:
    user = await mo(bank)
    path = "/clients/1/consent/record"
    filled: dict[str, object] = {}
    for fields, go, missing in (
        (WHO, "what", "Select who says this"),
        (WHAT, "limits", "Select how much may be told"),
        (LIMITS, "check", "Select for which reasons"),
    ):
        page = await user.post(path, {**filled, "go": go})  # type: ignore[dict-item]
        assert (page.status, missing in page.words) == (400, True)
        filled |= fields
        page = await user.post(path, {**filled, "go": go})  # type: ignore[dict-item]
        assert page.status == 200
    assert "We may tell every agency: who works with you, and how to reach them." in page.words
    assert "Today these are: Housing. Those that join later are told too." in page.words
    assert "This ends on 21 September 2027, unless you agree again." in page.words
    assert not await on_record(bank, BANK)
    for wrong, says in (
        ({"until": "day", "day-day": "1", "day-month": "1", "day-year": "2020"}, "The last day must be today or later"),
        ({"whom": "but"}, "Tick the agencies"),
        ({"services": "own"}, "Tick the services"),
        ({"relation": "parent"}, "Enter which parent"),
        ({"reference": "mother"}, "Leave this empty if the person themselves says it"),
        ({"mode": "callback"}, "Select how much may be told"),  # nobody agrees to nothing
        ({"service": ["CAMHS"], "services": "own"}, "Tick the services"),  # not one of theirs
        ({"agency": ["nobody"], "whom": "some"}, "Tick the agencies"),
        ({"agency": [HOUSING]}, "You chose every agency and ticked some."),
        ({"reason": ["THREAT"]}, "You chose every reason and ticked some."),
        ({"service": ["meals"]}, "You chose all our services and ticked some."),
        ({"day-day": "1"}, "You typed a last day."),
    ):
        page = await record(user, "record", {**WHO, **WHAT, **LIMITS, **wrong})
        assert (page.status, says in page.words) == (400, True), page.words
    assert not await on_record(bank, BANK)


async def test_a_parent_is_the_same_parent_next_time_and_the_script_changes_with_the_choices(
    bank: TestFederation,
) -> None:
    user = await mo(bank)
    parent = {**WHO, "relation": "parent", "reference": "mother", "interpreter": "yes"}
    limits = {
        **LIMITS,
        "reasons": "some",
        "reason": ["THREAT"],
        "services": "own",
        "service": ["meals"],
        "until": "none",
    }
    page = await user.post(
        "/clients/1/consent/record",
        {**parent, "mode": "schedule", "whom": "but", "agency": ["police-force"], **limits, "go": "check"},
    )
    assert "I say “you” for the person for whom you speak." in page.words
    assert "every agency except police forces" in page.words
    assert "Today these are: Housing. Those that join later are told too." in page.words
    assert "about our work in Team meals, to keep somebody safe." in page.words
    assert "This has no end." in page.words
    await record(user, "record", {**parent, **WHAT, **limits})
    await record(user, "withdraw", {**EVERYTHING, **parent, "reference": " Mother "})
    agreed, withdrawn = await on_record(bank, BANK)
    assert agreed.giver == withdrawn.giver == Giver(relation=Relation.PARENT, reference="mother")
    assert agreed.method == "spoken, face to face, with an interpreter"


async def test_other_roles_other_clients_and_other_sites_get_nowhere(bank: TestFederation) -> None:
    user = await mo(bank)
    nobody = await user.get("/clients/987654/consent")
    for suffix in PAGES:
        page = await user.get(f"/clients/2{suffix}")
        assert (page.status, page.words) == (404, nobody.words)
    for how in ("record", "object", "withdraw"):
        assert (await user.post(f"/clients/2/consent/{how}", {"go": "record"}, form="/account")).status == 404
        for token in ("", "x" * 43):
            page = await user.post(f"/clients/1/consent/{how}", {**EVERYTHING, "go": "record"}, token=token)
            assert page.status == 403
    for role in (Role.MANAGER, Role.GOVERNANCE, Role.ADMINISTRATOR, Role.AUDITOR):
        other = await mo(bank, role)
        for suffix in PAGES:
            assert (await other.get(f"/clients/1{suffix}")).status == 403
        page = await other.post("/clients/1/consent/record", {**WHO, **WHAT, **LIMITS, "go": "record"}, form="/account")
        assert page.status == 403
        assert (await other.get("/leaflet")).status == 200
    assert (await bank.browser(BANK).get("/leaflet")).path == "/sign-in"
    assert not await on_record(bank, BANK)


async def test_a_name_or_reference_is_text_and_never_markup_and_no_title_names_anybody(bank: TestFederation) -> None:
    await bank.add(BANK, *someone(HOSTILE, "Bramley", "1991-05-17", service="meals", worker=f"Mo {HOSTILE}"))
    user = await mo(bank)
    said = {**WHO, "relation": "parent", "reference": HOSTILE}
    page = await user.post("/clients/1/consent/record", {**said, **WHAT, **LIMITS, "go": "check"})
    assert "&lt;script&gt;alert(1)" in page.text
    await record(user, "record", {**said, **WHAT, **LIMITS})
    for suffix in PAGES:
        page = await user.get(f"/clients/1{suffix}")
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "Bramley" not in page.text.partition("<title")[2].partition("</title>")[0]
        if "leaflet" in suffix:
            assert "Bramley" not in page.text
            assert "{{7*7}}" not in page.text


async def test_a_leaflet_as_pdf_is_tagged_and_its_name_names_nobody(bank: TestFederation) -> None:
    user = await mo(bank)
    await record(user, "record", {**WHO, **WHAT, **LIMITS})
    for path in ("/leaflet.pdf", "/clients/1/consent/leaflet.pdf"):
        async with user._session.get(path) as response:
            made = await response.read()
            assert response.headers["Content-Disposition"] == 'attachment; filename="leaflet.pdf"'
            assert response.headers["Cache-Control"] == "no-store"
        assert made.startswith(b"%PDF-")
        assert b"pdfuaid:part>1<" in made
    assert (await user.get("/clients/2/consent/leaflet.pdf")).status == 404
    page = await user.get("/clients/1/consent/leaflet")
    assert "You agreed, 21 September 2026" in page.words
    assert "the agreement between us allows it: Housing." in page.words
    assert "You said yes." in (await user.get("/clients/1/consent/leaflet/easy-read")).words


async def test_a_leaflet_says_that_nothing_is_shared_while_an_objection_to_everything_stands(
    bank: TestFederation,
) -> None:
    user = await mo(bank)
    path = "/clients/1/consent/leaflet"
    shares = "With these agencies"
    assert "Until you tell us otherwise." in (await user.get(path)).words
    await record(user, "object", {**EVERYTHING, "mode": "schedule"})
    assert shares in (await user.get(path)).words
    await record(user, "object", EVERYTHING)
    leaflet, easy = (await user.get(path)).words, (await user.get(f"{path}/easy-read")).words
    assert "so we tell no agency that we work with you" in leaflet
    assert "That we work with you, who does, and how to reach them" not in leaflet
    assert shares not in leaflet
    assert "We do not tell other places about you." in easy
    assert "We can tell these places" not in easy
    await record(user, "record", {**WHO, **WHAT, **LIMITS, "reasons": "some", "reason": ["THREAT"]})
    assert shares in (await user.get(path)).words
    assert "We can tell these places" in (await user.get(f"{path}/easy-read")).words


async def test_nobody_piles_up_statements(bank: TestFederation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.consent.MAX_A_DAY", 2)
    user = await mo(bank)
    pages = [await record(user, "object", EVERYTHING) for _ in range(3)]
    assert [page.status for page in pages] == [200, 200, 400]
    assert "recorded too much" in pages[2].words
    assert len(await on_record(bank, BANK)) == 2


async def test_nobody_piles_up_statements_by_sending_them_all_at_once(
    bank: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.web.consent.MAX_A_DAY", 2)
    user = await mo(bank)
    path = "/clients/1/consent/object"
    token = (await user.get(path)).token
    many = (user.post(path, {**EVERYTHING, "go": "record"}, token=token) for _ in range(6))
    pages = await asyncio.gather(*many)
    assert sorted(page.status for page in pages) == [200, 200, 400, 400, 400, 400]
    assert len(await on_record(bank, BANK)) == 2


async def test_if_the_ledger_cannot_be_written_the_page_says_that_nothing_was_saved(bank: TestFederation) -> None:
    user = await mo(bank)
    await user.get("/clients/1/consent")
    token = (await user.get("/account")).token
    await bank.nodes[BANK].parts.ledger.close()
    page = await user.post("/clients/1/consent/record", {**WHO, **WHAT, **LIMITS, "go": "record"}, token=token)
    assert page.status == 503
    assert "Bramley" not in page.text


async def test_whoever_is_added_comes_to_their_consent_next(trust: TestFederation) -> None:
    page = await (await rae(trust)).post("/clients/add", {"name": "Ada Zuleika", "born-year": "1980"})
    assert page.path.endswith("/consent")
    assert "Nothing is on record that concerns your work." in page.words


def hidden_work() -> tuple[Mapped, ...]:
    """A shielded service's work with the same person, on the same record."""
    return (
        Service(key="hidden", name="Team Sexual-Health", code=HIDDEN, organisation_key="org"),
        Practitioner(key="hidden", name=HumanName(given=("Kim",), family="Sexual-Health"), organisation_key="org"),
        Involvement(
            key="hidden",
            person_key="p1",
            practitioner_key="hidden",
            service_key="hidden",
            start="2026-02-01",
            sensitivity=Sensitivity.RESTRICTED,
        ),
    )


def apart() -> tuple[Mapped, ...]:
    """Another shielded service's own record of the same person."""
    return someone(
        "Kitty",
        "Secret-Name",
        "1991-05-17",
        key="p9",
        nhs="9990000018",
        worker="Sam Sexual-Health",
        service="family-court",
        sensitivity=Sensitivity.RESTRICTED,
    )


def names_hidden(kind: ConsentKind) -> ConsentEntry:
    line = Provision(permit=kind is ConsentKind.CONSENT, mode=Mode.PRACTITIONER, services=(HIDDEN,))
    return ConsentEntry(kind=kind, provisions=(line,), method="at the clinic", recorded_by="Kim Sexual-Health")


def answer(jti: str, now: float, consent_head: int, *decided: tuple[int, str]) -> AnsweredEntry:
    """An answer to housing that disclosed these involvements, of (row, service)."""
    return AnsweredEntry(
        issuer=HOUSING,
        jti=jti,
        expires_at=int(now) + 60,
        query_sha256="0" * 64,
        asker=Asker(member=HOUSING, practitioner="a", name="Alex Asker", role="", organisation=HOUSING),
        purpose="COC",
        outcome="teams",
        person_id=1,
        person_ids=(1,),
        consent_head=consent_head,
        question={},
        decisions=[
            {"involvement": row, "service": service, "effect": "permit", "mode": "practitioner", "rule": "r"}
            for row, service in decided
        ],
    )


async def pages_of(folder: Path, *, hidden: bool) -> dict[str, str]:
    """What Rae sees of Katherine where a hidden service works with her, and where none does."""
    async with federation(folder, [TRUST, HOUSING], web=True) as north:
        await north.add(TRUST, *someone("Katherine", "Bramley", "1991-05-17", worker="Rae Reception", nhs="9990000018"))
        ledger = north.nodes[TRUST].parts.ledger
        head = -1
        line = Provision(permit=True, mode=Mode.SCHEDULE, services=(CODE, HIDDEN) if hidden else (CODE,))
        kinds = (ConsentKind.CONSENT, ConsentKind.OBJECTION, ConsentKind.WITHDRAWAL)
        both = ConsentEntry(kind=ConsentKind.CONSENT, provisions=(line,), method="at the clinic", recorded_by="Kim")
        if hidden:
            await north.add(TRUST, *hidden_work())
            await north.add(TRUST, *apart())
            for kind in kinds:
                await ledger.record(1, names_hidden(kind))
            await ledger.record(2, ConsentEntry(kind=ConsentKind.OBJECTION, method="at the clinic", recorded_by="Kim"))
        head = (await ledger.record(1, both)).seq
        now = north.clock.now()
        if hidden:
            await ledger.log_answer(answer("hidden-alone", now, head, (2, HIDDEN)))
            await ledger.log_answer(answer("both", now, head, (1, CODE), (2, HIDDEN)))
        else:
            await ledger.log_answer(answer("both", now, head, (1, CODE)))
        user = await rae(north)
        shown = {suffix: (await user.get(f"/clients/1{suffix}")).words for suffix in ("", *PAGES)}
        limits = await user.post("/clients/1/consent/record", {**WHO, **WHAT, "go": "limits"})
        check = await user.post("/clients/1/consent/withdraw", {**EVERYTHING, "go": "check"})
        return {**shown, "limits": limits.words, "check": check.words}


async def test_whether_a_hidden_service_works_with_somebody_shows_on_none_of_these_pages(tmp_path: Path) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    with_hidden = await pages_of(tmp_path / "with", hidden=True)
    without = await pages_of(tmp_path / "without", hidden=False)
    assert with_hidden == without
    assert "Team other-professional-support" in with_hidden["/consent"]
    assert with_hidden["/consent/withdraw"].count("Housing The named practitioner") == 1
    assert not any(secret in text for text in with_hidden.values() for secret in (*SECRETS, HIDDEN, "clinic", "Kitty"))
