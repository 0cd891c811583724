"""The pages of a node: their Site, put together on one screen, and their listener beside that of the node."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import aiohttp

from gateway.accounts.keys import load_web_key
from gateway.accounts.mail import password_of, trusted
from gateway.accounts.oidc import JOURNEY_LASTS_S, Provider, read_secret
from gateway.accounts.oidc_fetch import directory_session
from gateway.accounts.passkey_proof import CHALLENGE_LASTS_S
from gateway.accounts.passwords import Passwords
from gateway.accounts.personas import cast, make_personas, retire_personas
from gateway.app.import_worker import import_apart
from gateway.app.list_worker import import_list_apart
from gateway.app.node import Node
from gateway.app.node_limits import budget_limits_of
from gateway.app.opening import listening_tls
from gateway.app.web_database import open_web_database
from gateway.errors import ConfigurationError
from gateway.events import emit
from gateway.http import Listener, listen
from gateway.node.looks import Looks
from gateway.settings import WebTable
from gateway.web.application import web_application
from gateway.web.assets import BUILT, load_assets
from gateway.web.background import Background
from gateway.web.counting import counting
from gateway.web.coverage import Coverage
from gateway.web.drafts import Drafts
from gateway.web.guesses import Guesses
from gateway.web.oidc import OIDC_BACK_PATH
from gateway.web.pending import Pending
from gateway.web.render import make_templates
from gateway.web.searches import Searches
from gateway.web.site import Elsewhere, Site
from gateway.web.upload_files import Uploads


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The running pages, and what has to be closed."""

    site: Site
    listener: Listener
    provider_session: aiohttp.ClientSession

    async def close(self) -> None:
        """Stop listening, let running requests, work and searches end, then release files and the passwords' thread.

        They end side by side, so this takes no longer than the slowest of them may (searches.CLOSE_S).
        """
        await asyncio.gather(self.listener.close(), self.site.background.close(), self.site.searches.close())
        await self.provider_session.close()
        self.site.passwords.close()
        await self.site.database.close()


async def listen_pages(nodes: Sequence[Node], *, built: Path = BUILT) -> list[Pages | None]:
    """The pages of each federation, at an address of their own, as listen_web() opens them; all of them or none."""
    tables = [node.settings.web for node in nodes]
    known = [
        Elsewhere(node.parts.me.federation, None if table is None else table.url)
        for node, table in zip(nodes, tables, strict=True)
    ]
    opened: list[Pages | None] = []
    async with contextlib.AsyncExitStack() as undo:
        for at, node in enumerate(nodes):
            pages = await listen_web(node, built=built, elsewhere=(*known[:at], *known[at + 1 :]))
            opened.append(pages)
            if pages is not None:
                undo.push_async_callback(pages.close)
        undo.pop_all()
    return opened


async def listen_web(node: Node, *, built: Path = BUILT, elsewhere: tuple[Elsewhere, ...] = ()) -> Pages | None:
    """Open the pages' listener; None without a `[web]` table. Raises ConfigurationError or StorageError.

    `built`: where the styles and scripts are. `elsewhere`: the other federations that this node is in.
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
        session = directory_session()
        undo.push_async_callback(session.close)
        background = Background(node.parts.clock)
        coverage = Coverage(node.parts.clock.now())
        site = Site(
            node=node.parts,
            agreements=node.agreements,
            ledger_database=node.ledger_database,
            checkpoints=node.checkpoints,
            http=node.session,
            database=database,
            settings=node.settings,
            web=table,
            key=key,
            passwords=passwords,
            assets=assets,
            templates=templates,
            searches=Searches(node.parts, counting(coverage, database, node.parts.clock)),
            coverage=coverage,
            import_apart=import_apart,
            background=background,
            drafts=Drafts(node.parts.clock),
            uploads=Uploads(database, node.settings.node.data, background, partial(import_list_apart, node.settings)),
            looks=Looks(me=node.parts.me, ledger=node.parts.ledger, keys=node.keys_database, clock=node.parts.clock),
            challenges=Pending(node.parts.clock, lasts_s=CHALLENGE_LASTS_S),
            directory=_directory(table, session, node),
            journeys=Pending(node.parts.clock, lasts_s=JOURNEY_LASTS_S),
            guesses=Guesses(
                database=database,
                keys=node.keys_database,
                federation=node.parts.me.federation,
                clock=node.parts.clock,
                limits=budget_limits_of(node.settings),
            ),
            elsewhere=elsewhere,
        )
        if table.demo:
            found = await database.read(cast())
            await database.write(make_personas(found, federation=node.parts.me.federation, now=site.now()))
        else:
            await database.write(retire_personas(site.now()))
        host, port = table.listen
        listener = await listen(web_application(site), host=host, port=port, tls=listening_tls(table.tls))
        undo.pop_all()
    emit("web.started", member=node.parts.me.member, port=listener.port)
    return Pages(site=site, listener=listener, provider_session=session)


def _directory(table: WebTable, session: aiohttp.ClientSession, node: Node) -> Provider | None:
    if table.oidc is None:
        return None
    return Provider(
        table.oidc,
        secret=read_secret(table.oidc.client_secret_file),
        back_url=f"{table.url}{OIDC_BACK_PATH}",
        session=session,
        clock=node.parts.clock,
    )
