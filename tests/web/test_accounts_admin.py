"""Looking after accounts: what administrators can do, what they cannot, and what is on record of it."""

import re
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.accounts.register_rows import MAX_FOUND
from gateway.database.contract import Statement, Work
from gateway.errors import StorageError
from gateway.web.figure_counts import Reached
from gateway.web.prove import FRESH_S
from gateway.web.reach import ASKED_S, KEPT_S, answered, clicked
from gateway.web.tidying import tidy
from mappings.model import HumanName, Practitioner
from tests.federation import TestFederation, federation, someone
from tests.web.conftest import HOUSING
from tests.web.invited import PASSWORD, signed_in, with_password
from tests.web.test_every_page import XSS
from tests.web_user import WebUser

pytestmark = pytest.mark.asyncio(loop_scope="module")

POLICE = "police"  # where there is one administrator, whom one test signs in
LIST = "/manage/accounts"
NEW = {
    "login": "w.smith",
    "name": "Wendy Smith",
    "job-role": "Housing officer",
    "email": "",
    "phone": "",
    "roles": "auditor",
}
ACTS = ("details", "roles", "disable", "enable", "link", "second-factor", "sign-out", "register", "register/link")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """Two agencies; at the first Robin Worker is in the register, with one client."""
    async with federation(tmp_path_factory.mktemp("north"), [HOUSING, POLICE], web=True) as running:
        await running.add(HOUSING, *someone("Katherine", "Bramley", "1991-05-17"))
        await running.add(POLICE, *someone("Katherine", "Bramley", "1991-05-17"))
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def ada(north: TestFederation) -> WebUser:
    """An administrator, signed in a moment ago."""
    return await north.sign_in(HOUSING, Role.ADMINISTRATOR, name="Ada Admin", job_role="Administrator")


def page_of(user: WebUser) -> str:
    return f"{LIST}/{user.id}"


async def act(admin: WebUser, user: WebUser, what: str, **fields: str | list[str]) -> Any:
    """Press a button of the account's page."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return await admin.post(f"{page_of(user)}/{what}", named, form=page_of(user))


def link_in(text: str) -> str:
    found = re.search(r'value="http://127\.0\.0\.1:\d+(/set-password/[\w-]+)"', text)
    assert found, "no link is shown"
    return found[1]


async def is_signed_in(user: WebUser) -> bool:
    return (await user.get("/account")).path == "/account"


async def test_somebody_gets_an_account_a_link_and_a_role_and_signs_in(north: TestFederation, ada: WebUser) -> None:
    fields = NEW | {"email": "wendy@example.org", "phone": "01632 960 001", "roles": ["practitioner", "manager"]}
    page = await ada.post(f"{LIST}/add", fields)
    for text in ("w.smith", "Wendy Smith", "wendy@example.org", "Password: none yet", "given by Ada Admin"):
        assert text in page.words
    made = await ada.post(f"{page.path}/link", form=page.path)
    assert made.headers["Cache-Control"] == "no-store"
    link = link_in(made.text)
    assert link not in (await ada.get(page.path)).text  # shown once
    wendy = north.browser(HOUSING)
    await wendy.post(link, {"new-password": PASSWORD})
    shown = await signed_in(wendy, "W.Smith")
    assert ("Wendy Smith" in shown.words, "put right what colleagues report" in shown.words) == (True, True)
    record = (await ada.get(page.path)).words
    for line in ("Account made", "Role given: Practitioner", "Role given: Manager", "Set-up link made"):
        assert line in record


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"login": "two words"}, "A login has no spaces"),
        ({"login": ""}, "Enter a login"),
        ({"login": "x" * 101}, "100 characters or fewer"),
        ({"login": "ADA"}, "This login is taken"),
        ({"name": ""}, "Enter a name"),
        ({"name": "x" * 201}, "200 characters or fewer"),
        ({"job-role": " "}, "Enter what they do"),
        ({"email": "no address"}, "Enter an email address"),
        ({"phone": "javascript:1"}, "Enter a phone number"),
        ({"roles": "owner"}, "Select at least one role"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_made(
    north: TestFederation, ada: WebUser, wrong: dict[str, str], said: str
) -> None:
    if wrong.get("login") == "ADA":
        await north.sign_in(HOUSING, Role.AUDITOR, login="ada")
    before = await count(north, "account")
    page = await ada.post(f"{LIST}/add", NEW | {"login": "not-made"} | wrong)
    assert (page.status, said in page.words) == (400, True)
    assert await count(north, "account") == before


async def test_a_role_that_no_page_offers_is_not_given(ada: WebUser) -> None:
    page = await ada.post(f"{LIST}/add", NEW | {"login": "greedy", "roles": ["practitioner", "owner"]})
    assert "Role given: Practitioner" in page.words
    assert "owner" not in page.words


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR}))
async def test_nobody_else_looks_after_accounts(north: TestFederation, role: Role) -> None:
    victim = await north.sign_in(HOUSING, Role.PRACTITIONER)
    other = await north.sign_in(HOUSING, role)
    token = (await other.get("/account")).token
    for path in (LIST, f"{LIST}/add", page_of(victim), f"{page_of(victim)}/register", f"{LIST}/{'0' * 32}"):
        assert (await other.get(path)).status == 403
    for what in ACTS:
        assert (await other.post(f"{page_of(victim)}/{what}", {"roles": "administrator"}, token=token)).status == 403
    assert (await other.get(f"{LIST}/changes")).status == (200 if role is Role.AUDITOR else 403)
    assert await is_signed_in(victim)
    assert (await north.browser(HOUSING).get(LIST)).path == "/sign-in"


async def test_a_form_with_somebody_else_s_token_does_nothing(north: TestFederation, ada: WebUser) -> None:
    victim = await north.sign_in(HOUSING, Role.PRACTITIONER)
    colleague = await north.sign_in(HOUSING, Role.ADMINISTRATOR)
    theirs = (await colleague.get(page_of(victim))).token
    for what in ACTS:
        assert (await ada.post(f"{page_of(victim)}/{what}", {"name": "x"}, token=theirs)).status == 403
    assert await is_signed_in(victim)
    assert "Nothing is on record." in (await ada.get(page_of(victim))).words


async def test_an_account_that_is_not_there_looks_like_any_other_page_that_is_not(ada: WebUser) -> None:
    token = (await ada.get("/account")).token
    for public_id in ("0" * 32, "1", "x" * 32, "0" * 33, "%00", "..%2faccounts"):
        assert (await ada.get(f"{LIST}/{public_id}")).status == 404
        assert (await ada.post(f"{LIST}/{public_id}/disable", token=token)).status == 404


async def test_names_are_text_and_never_markup(north: TestFederation, ada: WebUser) -> None:
    victim = await north.sign_in(HOUSING, Role.PRACTITIONER)
    await act(ada, victim, "details", name=XSS, job_role=XSS)
    await north.add(HOUSING, Practitioner(key=XSS, name=HumanName(given=(XSS,), family="Hostile"), role=XSS))
    found = await ada.post(f"{page_of(victim)}/register", {"typed": "hostile", "kind": "practitioner"})
    chosen = {"kind": "practitioner", "source": "register", "key": XSS}
    linked = await ada.post(f"{page_of(victim)}/register/link", chosen, form=page_of(victim))
    other = await north.sign_in(HOUSING, Role.PRACTITIONER)
    taken = await ada.post(f"{page_of(other)}/register/link", chosen, form=page_of(other))
    searched = await ada.post(LIST, {"typed": XSS})
    for page in (found, linked, taken, searched, await ada.get(LIST), await ada.get(f"{LIST}/changes")):
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "{{7*7}}" in page.text


async def test_accounts_are_found_by_parts_of_names_and_nothing_typed_is_in_an_address(
    north: TestFederation, ada: WebUser
) -> None:
    await north.sign_in(HOUSING, Role.MANAGER, name="Zoë Ångström", login="zoe.a")
    for typed in ("angstrom", "ZOË", "zoe.a", "Ång zo"):
        page = await ada.post(LIST, {"typed": typed})
        assert ("Zoë Ångström" in page.words, "Wendy Smith" in page.words, page.path) == (True, False, LIST)
    assert "No account has all of that" in (await ada.post(LIST, {"typed": "zoe nobody"})).words
    assert (await ada.post(LIST, {"typed": "x" * 201})).status == 400
    for number in ("0", "-1", "x", "999999", "2"):
        assert (await ada.get(f"{LIST}?page={number}")).status == 200


async def test_details_are_changed_and_the_record_says_which_and_not_what_they_were(
    north: TestFederation, ada: WebUser
) -> None:
    user = await north.sign_in(HOUSING, Role.PRACTITIONER, name="Quillfeather Before")
    fields = {"name": "Quill After", "job_role": "Housing officer", "email": "quill@example.org"}
    page = await act(ada, user, "details", **fields)
    assert "Quill After" in page.words
    assert "Details changed: name, email address" in page.words
    assert "Before" not in page.words
    assert "Quill After" in (await user.get("/account")).words
    await act(ada, user, "details", **fields)
    assert (await ada.get(page_of(user))).words.count("Details changed") == 1


async def test_a_role_opens_and_closes_pages_at_the_next_request(north: TestFederation, ada: WebUser) -> None:
    user = await north.sign_in(HOUSING, Role.PRACTITIONER)
    assert (await user.get("/clients")).status == 200
    page = await act(ada, user, "roles", roles=["auditor"])
    assert ("Role given: Auditor" in page.words, "Role taken away: Practitioner" in page.words) == (True, True)
    assert [(await user.get(path)).status for path in ("/clients", f"{LIST}/changes")] == [403, 200]


async def test_somebody_who_has_no_role_is_told_so_and_whom_to_ask(north: TestFederation, ada: WebUser) -> None:
    user = await north.sign_in(HOUSING, Role.PRACTITIONER)
    page = await act(ada, user, "roles", roles=[])
    assert "No roles: this person can sign in and do nothing." in page.words
    assert "You may nothing yet. Ask whoever looks after accounts at your agency." in (await user.get("/account")).words
    closed = await user.get("/clients")
    assert (closed.status, "is not allowed to open this page" in closed.words) == (403, True)
    assert "form was too old" not in closed.words
    assert "form was too old" in (await user.post("/account/sign-out-other", token="")).words


async def test_a_disabled_account_is_signed_out_at_once_and_comes_back_as_it_was(
    north: TestFederation, ada: WebUser
) -> None:
    site = north.pages[HOUSING].site
    user = await with_password(north, HOUSING, "leaver")
    await signed_in(user, "leaver")
    public_id, session_id = await session_of(north, "leaver")
    draft = site.drafts.keep(cast(Any, None), cast(Any, None), cast(Any, None), owner=session_id)
    page = await ada.post(f"{LIST}/{public_id}/disable", form=f"{LIST}/{public_id}")
    assert "this person cannot sign in" in page.words
    assert not await is_signed_in(user)
    assert site.drafts.get(draft.id, session_id) is None  # what was in memory for the session went with it
    assert (await signed_in(user, "leaver")).status == 401
    page = await ada.post(f"{LIST}/{public_id}/enable", form=f"{LIST}/{public_id}")
    assert ("Enabled again" in page.words, "cannot sign in" in page.words) == (True, False)
    assert (await signed_in(user, "leaver")).path == "/account"


async def test_a_second_link_ends_the_first_and_disabling_ends_both(north: TestFederation, ada: WebUser) -> None:
    user = await north.sign_in(HOUSING, Role.PRACTITIONER)
    first, second = [link_in((await act(ada, user, "link")).text) for _ in range(2)]
    stranger = north.browser(HOUSING)
    assert [(await stranger.get(link)).status for link in (first, second)] == [404, 200]
    await act(ada, user, "disable")
    assert (await stranger.get(second)).status == 404
    assert "Set-up link for" not in (await act(ada, user, "link")).words
    await act(ada, user, "enable")
    assert (await stranger.get(second)).status == 404


async def test_a_lost_phone_is_forgotten_and_every_browser_is_signed_out(north: TestFederation, ada: WebUser) -> None:
    user = await north.sign_in(HOUSING, Role.PRACTITIONER)
    await write(north, Statement("UPDATE account SET totp_secret = X'00' WHERE public_id = ?", (user.id,)))
    assert "Codes from an app: on" in (await ada.get(page_of(user))).words
    page = await act(ada, user, "second-factor")
    assert "Codes from an app: off" in page.words
    assert "Codes from an app turned off" in page.words
    assert not await is_signed_in(user)


async def test_an_administrator_signs_somebody_out_everywhere(north: TestFederation, ada: WebUser) -> None:
    user = await north.sign_in(HOUSING, Role.PRACTITIONER)
    page = await act(ada, user, "sign-out")
    assert "Signed out everywhere Ada Admin" in page.words
    assert not await is_signed_in(user)


@pytest.mark.parametrize("what", ["roles", "disable", "link", "second-factor", "register/link"])
async def test_who_signed_in_a_while_ago_proves_it_again_before_it_is_done(north: TestFederation, what: str) -> None:
    admin = await with_password(north, HOUSING, f"proves-{what}")
    await write(
        north,
        Statement(
            "INSERT INTO account_role (account_id, role, granted_by, granted_at) "
            "SELECT id, 'administrator', 'test', 0 FROM account WHERE login = ?",
            (f"proves-{what}",),
        ),
    )
    await signed_in(admin, f"proves-{what}")
    user = await north.sign_in(HOUSING, Role.PRACTITIONER)
    north.clock.turn(FRESH_S + 1)
    service = "svc-other-professional-support"
    fields = {"roles": ["auditor"], "kind": "service", "source": "register", "key": service}
    page = await admin.post(f"{page_of(user)}/{what}", fields, form=page_of(user))
    assert page.path == "/sign-in/again"
    assert "Nothing is on record." in (await admin.get(page_of(user))).words
    back = await admin.post("/sign-in/again", {"password": PASSWORD, "next": page_of(user)})
    assert back.path == page_of(user)
    await admin.post(f"{page_of(user)}/{what}", fields, form=page_of(user))
    assert "Nothing is on record." not in (await admin.get(page_of(user))).words


async def test_the_last_administrator_stays_one_and_may_link_themselves_which_is_marked(north: TestFederation) -> None:
    only = await north.sign_in(POLICE, Role.ADMINISTRATOR, Role.PRACTITIONER, name="Only One")
    for what in ("roles", "disable"):
        page = await act(only, only, what, roles=["practitioner"])
        assert (page.status, "This is the last administrator" in page.words) == (400, True)
    assert "Katherine" not in (await only.get("/clients")).words
    page = await act(only, only, "register/link", kind="practitioner", source="register", key="w-p1")
    assert "Linked to a practitioner, and so to their clients: register:w-p1 Only One (own account)" in page.words
    assert "Katherine" in (await only.get("/clients")).words
    second = await north.sign_in(POLICE, Role.ADMINISTRATOR)
    assert (await act(only, second, "disable")).status == 200
    assert (await act(only, only, "roles", roles=[])).status == 400  # one who is disabled does not count
    await act(only, second, "enable")
    assert (await act(only, only, "roles", roles=["practitioner"])).status == 200
    assert (await only.get(LIST)).status == 403


async def test_an_administrator_sees_nobody_s_clients_and_needs_another_to_be_linked(
    north: TestFederation, ada: WebUser
) -> None:
    await act(ada, ada, "roles", roles=["administrator", "practitioner"])
    assert "Katherine" not in (await ada.get("/clients")).words
    assert (await ada.get("/clients/1")).status == 404
    for kind, key in (("practitioner", "w-p1"), ("service", "svc-other-professional-support")):
        page = await act(ada, ada, "register/link", kind=kind, source="register", key=key)
        assert (page.status, "ask another administrator" in page.words) == (409, True)
    assert "Katherine" not in (await ada.get("/clients")).words


async def test_a_practitioner_is_suggested_linked_and_unlinked(north: TestFederation, ada: WebUser) -> None:
    user = await north.sign_in(HOUSING, Role.PRACTITIONER, name="ROBIN worker")
    assert "Katherine" not in (await user.get("/clients")).words
    page = await ada.get(f"{page_of(user)}/register")
    assert "With the same name or email address Robin Worker , Support worker" in page.words
    page = await act(ada, user, "register/link", kind="practitioner", source="register", key="w-p1")
    assert "Robin Worker" in page.words
    assert "Katherine" in (await user.get("/clients")).words
    assert "With the same name" not in (await ada.get(f"{page_of(user)}/register")).words
    page = await act(ada, user, "register/unlink", kind="practitioner", source="register", key="w-p1")
    assert "No longer linked to a practitioner: register:w-p1" in page.words
    assert "Katherine" not in (await user.get("/clients")).words
    again = await act(ada, user, "register/unlink", kind="practitioner", source="register", key="w-p1")
    assert again.status == 404


async def test_an_address_suggests_a_practitioner_too(north: TestFederation, ada: WebUser) -> None:
    user = await north.sign_in(HOUSING, Role.PRACTITIONER, name="Called Otherwise")
    await act(ada, user, "details", name="Called Otherwise", job_role="x", email="Robin.Worker@example.org")
    assert "Robin Worker , Support worker" in (await ada.get(f"{page_of(user)}/register")).words


async def test_the_register_is_searched_within_bounds_and_says_nothing_of_a_protected_name(
    north: TestFederation, ada: WebUser
) -> None:
    user = await north.sign_in(HOUSING, Role.PRACTITIONER)
    hidden = HumanName(given=("Sheltered",), family="Quillfeather", protected=True)
    await north.add(HOUSING, Practitioner(key="hidden", name=hidden, role="Refuge worker"))
    many = [Practitioner(key=f"many{n}", name=HumanName(family=f"Many{n}")) for n in range(MAX_FOUND + 3)]
    await north.add(HOUSING, *many)
    where = f"{page_of(user)}/register"
    page = await ada.post(where, {"typed": "many", "kind": "practitioner"})
    assert (page.words.count("register:many"), "There are more" in page.words) == (MAX_FOUND, True)
    assert "Quillfeather" not in (await ada.post(where, {"typed": "Quillfeather", "kind": "practitioner"})).words
    page = await ada.post(where, {"typed": "refuge", "kind": "practitioner"})
    assert ("Name protected" in page.words, "Quillfeather" in page.words) == (True, False)
    page = await ada.post(where, {"typed": "team other", "kind": "service"})
    assert "svc-other-professional-support" in page.words
    page = await act(
        ada, user, "register/link", kind="service", source="register", key="svc-other-professional-support"
    )
    assert "Linked to a service, and so to its clients" in page.words
    assert (await ada.post(where, {"typed": ""})).status == 400


async def test_a_practitioner_whom_somebody_is_already_wants_to_be_confirmed(
    north: TestFederation, ada: WebUser
) -> None:
    await north.add(HOUSING, *someone("Owen", "Pritchard", "1990-04-04", key="shared", worker="Olu Open"))
    first = await north.sign_in(HOUSING, Role.PRACTITIONER, name="First Olu", workers=["w-shared"])
    second = await north.sign_in(HOUSING, Role.PRACTITIONER, name="Second Olu")
    chosen = {"kind": "practitioner", "source": "register", "key": "w-shared"}
    page = await act(ada, second, "register/link", **chosen)
    assert page.status == 409
    assert "First Olu" in page.words
    assert "two people see one practitioner" in page.words
    assert "Owen" not in (await second.get("/clients")).words
    page = await act(ada, second, "register/link", confirmed="yes", **chosen)
    assert (page.status, "Also linked to" in page.words) == (200, True)
    assert "Owen" in (await second.get("/clients")).words
    await act(ada, second, "register/unlink", **chosen)
    await act(ada, first, "disable")
    third = await north.sign_in(HOUSING, Role.PRACTITIONER)
    page = await act(ada, third, "register/link", **chosen)
    assert page.status == 200  # whoever is disabled holds nobody's place


async def test_nothing_is_linked_that_is_not_in_the_register(north: TestFederation, ada: WebUser) -> None:
    user = await north.sign_in(HOUSING, Role.PRACTITIONER)
    for source, key in (("register", "nobody"), ("elsewhere", "w-p1"), ("' OR 1=1 --", "x"), ("", "")):
        page = await act(ada, user, "register/link", kind="practitioner", source=source, key=key)
        assert (page.status, "not in the register any more" in page.words) == (409, True)
    page = await act(ada, user, "register/link", kind="person", source="register", key="p1")
    assert page.status == 400


async def test_auditors_read_all_changes_and_open_no_account(north: TestFederation, ada: WebUser) -> None:
    user = await north.sign_in(HOUSING, Role.PRACTITIONER, name="Audited Person")
    await act(ada, user, "sign-out")
    otto = await north.sign_in(HOUSING, Role.AUDITOR)
    page = await otto.get(f"{LIST}/changes")
    assert "Audited Person Signed out everywhere Ada Admin" in page.words
    assert page_of(user) not in page.text
    assert f"{LIST}/changes" in (await otto.get("/manage")).text
    for before in ("1", "x", "9" * 30, "-1"):
        assert (await otto.get(f"{LIST}/changes?before={before}")).status == 200


async def test_what_is_on_record_cannot_be_changed(north: TestFederation, ada: WebUser) -> None:
    user = await north.sign_in(HOUSING, Role.PRACTITIONER)
    await act(ada, user, "sign-out")
    for sql in ("DELETE FROM account_change", "UPDATE account_change SET by = 'nobody'"):
        with pytest.raises(StorageError):
            await write(north, Statement(sql))
    assert await count(north, "account_change")


async def test_what_a_session_had_in_memory_goes_when_it_runs_out_or_is_ended_elsewhere(north: TestFederation) -> None:
    site = north.pages[HOUSING].site
    user = await with_password(north, HOUSING, "forgotten")
    for how in ("runs out", "is ended"):
        await signed_in(user, "forgotten")
        _, session_id = await session_of(north, "forgotten")
        draft = site.drafts.keep(cast(Any, None), cast(Any, None), cast(Any, None), owner=session_id)
        if how == "runs out":
            north.clock.turn(site.session_limits.idle_s + 1)
            draft = site.drafts.keep(cast(Any, None), cast(Any, None), cast(Any, None), owner=session_id)
            await tidy(site)
        else:
            other = north.browser(HOUSING)
            await signed_in(other, "forgotten")
            await other.post("/account/sign-out-other", form="/account")
        assert site.drafts.get(draft.id, session_id) is None, how


async def test_times_of_contact_go_after_400_days_and_those_without_an_answer_after_30(north: TestFederation) -> None:
    user = await north.sign_in(HOUSING, Role.PRACTITIONER)
    assert user.account is not None
    site = north.pages[HOUSING].site
    now, account = site.now(), user.account.id

    def work() -> Work[None]:
        for age in (0.0, ASKED_S + 1, KEPT_S + 1):
            yield from clicked(account, kind="phone", search_at=0.0, now=now - age)
            told = yield from clicked(account, kind="phone", search_at=0.0, now=now - age)
            yield from answered(account, told, Reached.YES, now - age)

    await site.database.write(work())
    await tidy(site)
    rows = await site.database.read(all_rows("SELECT answered, clicked_at FROM reach ORDER BY clicked_at, answered"))
    assert rows == [("yes", now - ASKED_S - 1), (None, now), ("yes", now)]


def all_rows(sql: str, *values: str) -> Work[list[tuple[Any, ...]]]:
    return (yield Statement(sql, values))


async def count(north: TestFederation, table: str) -> int:
    rows = await north.pages[HOUSING].site.database.read(all_rows(f"SELECT count(*) FROM {table}"))  # noqa: S608 - of this file
    return int(rows[0][0])


async def session_of(north: TestFederation, login: str) -> tuple[str, str]:
    """The public ids of an account and of its one session."""
    sql = "SELECT a.public_id, s.public_id FROM session s JOIN account a ON a.id = s.account_id WHERE a.login = ?"
    rows = await north.pages[HOUSING].site.database.read(all_rows(sql, login))
    return rows[-1][0], rows[-1][1]


async def write(north: TestFederation, statement: Statement) -> None:
    def work() -> Work[None]:
        yield statement

    await north.pages[HOUSING].site.database.write(work())
