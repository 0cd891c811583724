"""The pages of a node: their Site, put together on one screen, and their listener beside that of the node."""

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

from gateway.accounts import alerts, attention, feedback, links, notices, problems, sessions, throttle
from gateway.accounts.keys import load_web_key
from gateway.accounts.mail import password_of, trusted
from gateway.accounts.passwords import Passwords
from gateway.app.node import Node
from gateway.app.opening import listening_tls
from gateway.database.contract import Work
from gateway.database.sqlite import SqliteDatabase, open_sqlite
from gateway.errors import ConfigurationError
from gateway.events import emit
from gateway.http import Listener, listen
from gateway.node.looks import Looks
from gateway.web import client_seen
from gateway.web.application import web_application
from gateway.web.assets import BUILT, load_assets
from gateway.web.drafts import Drafts
from gateway.web.render import make_templates
from gateway.web.searches import Searches
from gateway.web.site import Site
from gateway.web.told import end_invitations

WEB_FILE = "web.db"
TIDY_EVERY_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The running pages, and what has to be closed."""

    site: Site
    listener: Listener

    async def close(self) -> None:
        """Stop listening, let running requests and searches end, then release files and the passwords' thread."""
        await self.listener.close()
        await self.site.searches.close()
        self.site.passwords.close()
        await self.site.database.close()


async def open_web_database(node: Node) -> SqliteDatabase:
    """web.db: it writes accounts and what else the pages keep, and reads the node's three other files too."""
    data = node.settings.node.data
    others = {"node": data / "node.db", "ledger": data / "ledger.db", "keys": data / "keys.db"}
    return await open_sqlite(data / WEB_FILE, schema="web", attach=others)


async def listen_web(node: Node, *, built: Path = BUILT) -> Pages | None:
    """Open the pages' listener; None without a `[web]` table. Raises ConfigurationError or StorageError.

    `built`: where the styles and scripts are.
    """
    table = node.settings.web
    if table is None:
        return None
    assets = load_assets(built)
    key = load_web_key(node.settings.node.keys)
    try:
        templates = make_templates(node.settings.misuse.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(f"misuse.time_zone: {node.settings.misuse.time_zone} is not known here") from error
    if table.mail is not None:  # what is wrong with it is told now, not when the first mail is due
        trusted(table.mail)
        password_of(table.mail)
    async with contextlib.AsyncExitStack() as undo:
        database = await open_web_database(node)
        undo.push_async_callback(database.close)
        passwords = Passwords()
        undo.callback(passwords.close)
        site = Site(
            node=node.parts,
            agreements=node.agreements,
            ledger_database=node.ledger_database,
            database=database,
            settings=node.settings,
            web=table,
            key=key,
            passwords=passwords,
            assets=assets,
            templates=templates,
            searches=Searches(node.parts),
            drafts=Drafts(node.parts.clock),
            looks=Looks(me=node.parts.me, ledger=node.parts.ledger, keys=node.keys_database, clock=node.parts.clock),
        )
        host, port = table.listen
        listener = await listen(web_application(site), host=host, port=port, tls=listening_tls(table.tls))
        undo.pop_all()
    emit("web.started", member=node.parts.me.member, port=listener.port)
    return Pages(site=site, listener=listener)


async def keep_tidy(site: Site) -> None:
    """Remove what has run out, sessions, links and notices say, from time to time; runs until cancelled."""

    def work() -> Work[None]:
        now = site.now()
        yield from sessions.sweep(site.session_limits, now)
        yield from throttle.sweep(now)
        yield from links.sweep(now)
        yield from client_seen.sweep(now)
        yield from end_invitations(site)
        yield from notices.sweep(now)
        yield from attention.sweep(site.today())
        yield from alerts.sweep(now)
        yield from problems.sweep(now)
        yield from feedback.sweep(now)

    while True:
        await site.database.write(work())
        await asyncio.sleep(TIDY_EVERY_S)
