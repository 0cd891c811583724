"""Email alerts: to a proven address alone, with nothing in them, over TLS that is checked, and not in quiet hours."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.accounts.account import Role
from gateway.accounts.alerts import MAX_TRIES, Alerting, AlertSetting, Mode, next_time
from gateway.accounts.mail import MailRefused, compose, password_of, send, trusted
from gateway.accounts.notices import Kind, tell
from gateway.database.contract import Statement, Work
from gateway.errors import ConfigurationError
from gateway.settings import MailTable
from gateway.web.mailing import send_due
from tests.certificates import certificate_files
from tests.federation import TestFederation, federation
from tests.web.around import kim, return_of
from tests.web.clients import TRUST, fill, rae
from tests.web.mail_server import PASSWORD, USER, MailServer
from tests.web_user import WebUser

EMAIL = "kim.physio@example.org"
PATH = "/me/alerts"
HOUR_S = 3600
LONDON = ZoneInfo("Europe/London")
CHOSEN = {"mode": "at-once", "quiet-from": "0", "quiet-to": "0", "digest": "8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailed:
    """A federation whose node mails through a server of the test."""

    north: TestFederation
    server: MailServer
    certificate: tuple[Path, Path]

    async def round(self) -> None:
        """One round of what the node does all the time."""
        await send_due(self.north.pages[TRUST].site)

    async def count(self) -> int:
        """How many mails wait."""
        return await self.north.pages[TRUST].site.database.read(_count())

    async def tell(self, user: WebUser) -> None:
        """Something happens that somebody is told of."""
        site = self.north.pages[TRUST].site
        assert user.account is not None
        await site.database.write(
            tell(user.account.id, Kind.CASE, "told review", now=site.now(), alerting=site.alerting)
        )


def _count() -> Work[int]:
    ((number,),) = yield Statement("SELECT count(*) FROM mail_due")
    return int(number)


@pytest.fixture
async def mailed(tmp_path: Path) -> AsyncIterator[Mailed]:
    """The server is down when it begins."""
    server, certificate = MailServer(), certificate_files(tmp_path)
    async with server.listening(certificate):
        pass  # for its port
    (tmp_path / "password").write_text(PASSWORD.decode())
    options = (
        f'[web.mail]\nhost = "127.0.0.1"\nport = {server.port}\nsender = "patchwork@example.org"\n'
        f'user = "{USER.decode()}"\npassword_file = "{tmp_path / "password"}"\n'
        f'ca_file = "{certificate[0]}"\ndelay_s = 0\n'
    )
    async with federation(tmp_path, [TRUST], web=True, web_options=options) as running:
        await fill(running)
        yield Mailed(north=running, server=server, certificate=certificate)


async def with_address(mailed: Mailed, email: str = EMAIL) -> WebUser:
    """Kim Physio, whose account has an email address."""
    user = await kim(mailed.north)
    assert user.account is not None
    await set_address(mailed, user, email)
    return user


async def set_address(mailed: Mailed, user: WebUser, email: str) -> None:
    assert user.account is not None
    site = mailed.north.pages[TRUST].site
    change = Statement("UPDATE account SET email = ? WHERE id = ?", (email, user.account.id))
    await site.database.write(_one(change))


def _one(statement: Statement) -> Work[None]:
    yield statement


async def confirmed(mailed: Mailed, **chosen: str) -> WebUser:
    """Kim, who has proven the address and wants mails; an hour later, and nothing of it is left at the server."""
    user = await with_address(mailed)
    async with mailed.server.listening(mailed.certificate):
        await user.post(f"{PATH}/confirm", form=PATH)
        await mailed.round()
    await user.post(_link(mailed))
    await user.post(PATH, CHOSEN | {name.replace("_", "-"): value for name, value in chosen.items()})
    mailed.server.taken.clear()
    mailed.north.clock.time += HOUR_S
    return await return_of(mailed.north, user)


def _link(mailed: Mailed) -> str:
    """The path of the link in the newest mail."""
    _, message = mailed.server.taken[-1]
    found = re.search(rf"http://127\.0\.0\.1:\d+({PATH}/confirm/\S+)", message.get_content())
    assert found
    return found[1]


async def test_alerts_go_to_an_address_once_its_owner_has_opened_the_link_sent_to_it(mailed: Mailed) -> None:
    user = await with_address(mailed)
    page = await user.post(PATH, CHOSEN)
    assert f"Nothing is sent to {EMAIL} until you have confirmed" in page.words
    await mailed.tell(user)
    async with mailed.server.listening(mailed.certificate):
        await mailed.round()
        assert not mailed.server.taken
        assert "A link is on its way" in (await user.post(f"{PATH}/confirm", form=PATH)).words
        await mailed.round()
        path = _link(mailed)
        stranger = await rae(mailed.north)
        assert (await stranger.get(path)).status == 404
        page = await user.get(path)  # as a mail filter would: it confirms nothing
        assert "Yes, this is my address" in page.words
        await mailed.tell(user)
        await mailed.round()
        assert len(mailed.server.taken) == 1
        assert "Confirmed" in (await user.post(path)).words
        assert (await user.post(path, form="/account")).status == 404  # used up
        mailed.north.clock.time += HOUR_S
        await mailed.tell(user)
        await mailed.round()
    recipients, message = mailed.server.taken[-1]
    assert recipients == [EMAIL]
    assert message["Subject"] == "Patchwork: something changed"


async def test_a_mail_says_that_something_changed_and_nothing_else(mailed: Mailed) -> None:
    user = await confirmed(mailed)
    await mailed.north.publish()
    await mailed.north.refresh()
    wendy = await rae(mailed.north)
    await wendy.post("/clients/1/attention", {"phrase": "call-me"})
    async with mailed.server.listening(mailed.certificate):
        await mailed.round()
    ((_, message),) = mailed.server.taken
    text = message.as_string()
    assert f"{user.url}/notices" in text
    assert message["Auto-Submitted"] == "auto-generated"
    assert not re.search("Katherine|Bramley|Rae|Kim P|call|client|Trust|Nurse", text)


async def test_mails_are_few_even_if_much_happens_and_none_come_for_what_has_been_read(mailed: Mailed) -> None:
    user = await confirmed(mailed)
    async with mailed.server.listening(mailed.certificate):
        for _ in range(3):
            await mailed.tell(user)
            await mailed.round()
        assert len(mailed.server.taken) == 1
        mailed.north.clock.time += 14 * 60
        await mailed.round()
        assert len(mailed.server.taken) == 1
        mailed.north.clock.time += 61
        await mailed.round()
        assert len(mailed.server.taken) == 2
        mailed.north.clock.time += HOUR_S
        user = await return_of(mailed.north, user)
        await mailed.tell(user)
        await user.post("/notices/read", {"up-to": "1000"}, form="/notices")
        await mailed.round()
        assert (len(mailed.server.taken), await mailed.count()) == (2, 0)


async def test_a_server_that_is_down_is_tried_again_and_a_restart_sends_nothing_twice(
    mailed: Mailed, caplog: pytest.LogCaptureFixture
) -> None:
    user = await confirmed(mailed)
    await mailed.tell(user)
    await mailed.round()
    assert (await mailed.count(), mailed.server.taken) == (1, [])
    mailed.north.clock.time += 61
    await mailed.north.stop(TRUST)
    await mailed.north.start(TRUST)
    async with mailed.server.listening(mailed.certificate):
        await mailed.round()
        assert len(mailed.server.taken) == 1
        await mailed.north.stop(TRUST)
        await mailed.north.start(TRUST)
        mailed.north.clock.time += HOUR_S
        await mailed.round()
    assert (len(mailed.server.taken), await mailed.count()) == (1, 0)
    said = [(record.getMessage(), record.__dict__.get("event_fields")) for record in caplog.records]
    assert ("mail.failed", {"kind": "alert", "code": "unreachable"}) in said
    assert "example.org" not in str(said)


async def test_a_mail_that_cannot_be_sent_is_given_up_and_hinders_no_other(mailed: Mailed) -> None:
    user = await confirmed(mailed)
    mailed.server.refuse = "550 no such person"
    async with mailed.server.listening(mailed.certificate):
        await mailed.tell(user)
        for _ in range(MAX_TRIES):
            await mailed.round()
            mailed.north.clock.time += HOUR_S
    assert (await mailed.count(), mailed.server.taken) == (0, [])


@pytest.mark.parametrize(
    ("security", "host", "offered", "code"),
    [
        ("starttls", "127.0.0.1", "starttls", ""),
        ("tls", "127.0.0.1", "tls", ""),
        ("starttls", "192.0.2.1", "starttls", "certificate"),
        ("tls", "192.0.2.1", "tls", "certificate"),
        ("starttls", "127.0.0.1", "none", "refused"),
    ],
)
async def test_a_mail_leaves_only_to_a_server_whose_certificate_is_its_own(
    tmp_path: Path, security: str, host: str, offered: str, code: str
) -> None:
    server, certificate = MailServer(), certificate_files(tmp_path, host=host)
    async with server.listening(certificate, security=offered):
        table = MailTable.model_validate(
            {"host": "127.0.0.1", "port": server.port, "sender": "p@example.org", "security": security}
            | {"ca_file": certificate[0]}
            | _password(tmp_path, security)
        )
        message = compose(table, EMAIL, "Subject", "Text\n", 0.0)
        if code:
            with pytest.raises(MailRefused) as refused:
                await asyncio.to_thread(send, table, message)
            assert (refused.value.code, server.taken) == (code, [])
        else:
            await asyncio.to_thread(send, table, message)
            assert [recipients for recipients, _ in server.taken] == [[EMAIL]]


def _password(folder: Path, security: str) -> dict[str, object]:
    if security != "starttls":
        return {}
    (folder / "password").write_text(PASSWORD.decode())
    return {"user": USER.decode(), "password_file": folder / "password"}


async def test_a_wrong_password_and_an_unknown_authority_are_told_apart(tmp_path: Path) -> None:
    server, certificate = MailServer(), certificate_files(tmp_path)
    (tmp_path / "password").write_text("wrong")
    fields = {"host": "127.0.0.1", "sender": "p@example.org", "user": "u", "password_file": tmp_path / "password"}
    async with server.listening(certificate):
        for authority, code in ((certificate[0], "sign-in"), (None, "certificate")):
            table = MailTable.model_validate(fields | {"port": server.port, "ca_file": authority})
            with pytest.raises(MailRefused) as refused:
                await asyncio.to_thread(send, table, compose(table, EMAIL, "Subject", "Text\n", 0.0))
            assert refused.value.code == code


NO_ADDRESS = (
    "a@example.org\r\nBcc: b@example.org",
    "a@example.org\n",
    "a@example.org, b@example.org",
    "<a@example.org>",
    "a b@example.org",
    "a@",
    "@example.org",
    "ä@example.org",
    "",
    f"a@{'b' * 60}." * 5,
)


async def test_no_header_and_no_second_recipient_can_be_made_of_an_address(mailed: Mailed) -> None:
    table = mailed.north.pages[TRUST].site.web.mail
    assert table is not None
    user = await with_address(mailed)
    for email in NO_ADDRESS:
        with pytest.raises(MailRefused, match="address"):
            compose(table, email, "Subject", "Text", 0.0)
        await set_address(mailed, user, email)
        assert "Your account has no email address" in (await user.get(PATH)).words
        assert (await user.post(f"{PATH}/confirm", form="/account")).status == 400


async def test_a_new_address_has_to_be_proven_anew(mailed: Mailed) -> None:
    user = await confirmed(mailed)
    await set_address(mailed, user, "other@example.org")
    await mailed.tell(user)
    async with mailed.server.listening(mailed.certificate):
        await mailed.round()
    assert not mailed.server.taken
    assert "Nothing is sent to other@example.org" in (await user.get(PATH)).words


async def test_a_link_holds_for_a_day(mailed: Mailed) -> None:
    user = await with_address(mailed)
    async with mailed.server.listening(mailed.certificate):
        await user.post(f"{PATH}/confirm", form=PATH)
        assert "Ask for another link in 15 minutes" not in (await user.get(PATH)).words
        await mailed.round()
        assert "Ask for another link in 15 minutes" in (await user.post(f"{PATH}/confirm", form=PATH)).words
    mailed.north.clock.time += 24 * HOUR_S
    user = await return_of(mailed.north, user)
    page = await user.get(_link(mailed))
    assert (page.status, "no longer holds" in page.words) == (404, True)


@pytest.mark.parametrize(
    ("mode", "quiet", "now", "due"),
    [
        ("at-once", (20, 7), "2026-09-21 15:00", "2026-09-21 15:01"),
        ("at-once", (20, 7), "2026-09-21 19:59:30", "2026-09-22 07:00"),
        ("at-once", (20, 7), "2026-09-22 06:00", "2026-09-22 07:00"),
        ("at-once", (9, 17), "2026-09-21 15:00", "2026-09-21 17:00"),
        ("at-once", (0, 0), "2026-09-21 03:00", "2026-09-21 03:01"),
        ("at-once", (20, 7), "2026-10-24 23:00", "2026-10-25 07:00"),  # the clocks go back in between
        ("daily", (20, 7), "2026-09-21 07:00", "2026-09-21 08:01"),
        ("daily", (20, 7), "2026-09-21 08:00", "2026-09-22 08:01"),
    ],
)
def test_mails_keep_quiet_hours_and_the_hour_of_the_digest(
    mode: str, quiet: tuple[int, int], now: str, due: str
) -> None:
    setting = AlertSetting(mode=Mode(mode), quiet_from=quiet[0], quiet_to=quiet[1], digest_hour=8)
    at = datetime.fromisoformat(now).replace(tzinfo=LONDON).timestamp()
    found = next_time(setting, at, Alerting(zone=LONDON, delay_s=120), 0.5)
    assert datetime.fromtimestamp(found, LONDON).strftime("%Y-%m-%d %H:%M") == due


async def test_a_mail_that_waited_into_the_quiet_hours_waits_until_their_end(mailed: Mailed) -> None:
    user = await confirmed(mailed, quiet_from="17", quiet_to="7")  # it is 16:13 in London
    await mailed.tell(user)
    mailed.north.clock.time += HOUR_S
    async with mailed.server.listening(mailed.certificate):
        await mailed.round()
        assert (len(mailed.server.taken), await mailed.count()) == (0, 1)
        mailed.north.clock.time += 14 * HOUR_S
        await mailed.round()
    assert len(mailed.server.taken) == 1


async def test_choices_that_the_page_does_not_offer_are_refused(mailed: Mailed) -> None:
    user = await with_address(mailed)
    for wrong in ({"mode": "hourly"}, {"quiet-from": "24"}, {"digest": "-1"}, {"quiet-to": "<script>"}):
        page = await user.post(PATH, CHOSEN | wrong)
        assert page.status == 400
        assert "<script>alert" not in page.text
    for path in (PATH, f"{PATH}/confirm", f"{PATH}/confirm/{'x' * 43}"):
        assert (await user.post(path, CHOSEN, token="")).status == 403
    assert (await mailed.north.browser(TRUST).get(PATH)).path == "/sign-in"


@pytest.mark.parametrize(
    "fields",
    [
        {"sender": "Patchwork <p@example.org>"},
        {"security": "none"},
        {"user": "u"},
        {"password_file": "p"},
        {"sender": "p@example.org\nBcc: x@example.org"},
        {"port": 0},
    ],
)
def test_a_mail_table_that_cannot_be_meant_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"mail|port"):
        MailTable.model_validate({"host": "mail.example.org", "sender": "p@example.org"} | fields)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    fields = {"host": "127.0.0.1", "sender": "p@example.org", "user": "u"}
    table = MailTable.model_validate(fields | {"password_file": tmp_path / "nowhere", "ca_file": tmp_path / "none.pem"})
    with pytest.raises(ConfigurationError, match="nowhere"):
        password_of(table)
    with pytest.raises(ConfigurationError, match=r"none\.pem"):
        trusted(table)


async def test_without_a_mail_server_the_page_says_so(tmp_path: Path) -> None:
    async with federation(tmp_path, [TRUST], web=True) as running:
        user = await running.sign_in(TRUST, Role.MANAGER)
        page = await user.get(PATH)
        assert "Your agency has not set up emails" in page.words
        assert re.search(r'href="/notices" aria-current="true"', page.text)
        assert "by email" not in (await user.get("/notices")).words
        assert (await user.post(f"{PATH}/confirm", form="/account")).status == 400
