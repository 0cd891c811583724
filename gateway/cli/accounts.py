"""`patchwork node create-admin`: who opens the pages first, and who comes back when an administrator is locked out.

`patchwork node accounts` lists the logins there are.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from gateway.accounts.account import MAX_ACCOUNTS, Account, Role
from gateway.accounts.administer import Listed, create, listed, make_link, reset_factor
from gateway.accounts.changes import BY_COMMAND
from gateway.accounts.links import LINK_LASTS_S, SETUP_PATH, new_link
from gateway.accounts.store import NewAccount, account_by_login
from gateway.app.web_database import open_web_database
from gateway.cli.options import CLOCK, Config, InFederation, Yes, ask_first, node_of, opened, run, words
from gateway.database.contract import Database, Work
from gateway.days import HOUR_S
from gateway.errors import ConfigurationError, InputError
from gateway.settings import NodeSettings, WebTable


def create_admin(
    config: Config,
    federation: InFederation,
    login: Annotated[str, typer.Argument(help="What they will type to sign in, such as their email address.")],
    name: Annotated[str, typer.Option(help="Their name, as colleagues read it; for a new account.")] = "",
    job_role: Annotated[str, typer.Option(help="What they are at the agency.")] = "Administrator",
    yes: Yes = False,
) -> None:
    """Give an administrator of the pages a link with which they set their password, once.

    A login that is there already must be an administrator's: they get a new link, and their second factor is forgotten.
    """
    run(
        _create_admin(
            node_of(config, federation), login, words(name.strip(), "--name"), words(job_role, "--job-role"), yes=yes
        )
    )


async def _create_admin(settings: NodeSettings, login: str, name: str, job_role: str, *, yes: bool) -> None:
    async with _accounts(settings) as (web, federation, database):
        found = await database.read(account_by_login(login))
        if found is not None:
            _only_administrators(found)
            typer.echo(f"{login} is an administrator already. A new link takes the place of their sign-in.", err=True)
            ask_first("Have you checked that it is really they who are locked out?", yes=yes)
        new = NewAccount(
            federation=federation,
            login=login,
            name=name,
            job_role=job_role,
            roles=frozenset({Role.ADMINISTRATOR}),
            granted_by=BY_COMMAND,
        )
        secret = new_link()
        await database.write(_give_link(new, secret, CLOCK.now()))
    typer.echo(f"{web.url}{SETUP_PATH}{secret}")
    typer.echo(f"Whoever opens it first, within {LINK_LASTS_S / HOUR_S:.0f} hours, sets the password.", err=True)


def list_accounts(config: Config, federation: InFederation) -> None:
    """List the accounts of the pages: login, roles, and whether one is disabled."""
    for account in run(_listed(node_of(config, federation))):
        roles = ", ".join(account.roles) or "no roles"
        typer.echo(f"{account.login}: {roles}{' (disabled)' if account.disabled else ''}")


async def _listed(settings: NodeSettings) -> Sequence[Listed]:
    async with _accounts(settings) as (_, _, database):
        found, _ = await database.read(listed("", skip=0, limit=MAX_ACCOUNTS))
        return sorted(found, key=lambda each: each.login)


@asynccontextmanager
async def _accounts(settings: NodeSettings) -> AsyncIterator[tuple[WebTable, str, Database]]:
    """The `[web]` table, the federation's id, and web.db opened for one command."""
    if settings.web is None:
        raise ConfigurationError(
            f"this node has no pages in {settings.federation[0].id}: its configuration needs a table [web], or "
            "[federation.web] below the [[federation]] of one that has a `folder` (docs/pages.md)"
        )
    async with opened(settings) as node:
        database = await open_web_database(node)
        try:
            yield settings.web, node.parts.me.federation, database
        finally:
            await database.close()


def _give_link(new: NewAccount, secret: str, now: float) -> Work[None]:
    account = yield from account_by_login(new.login)
    if account is None:
        if not new.name:
            raise InputError("--name is missing: this is a new account")
        account = yield from create(new, email="", phone="", now=now)
    else:
        _only_administrators(account)
        yield from reset_factor(account.id, by=BY_COMMAND, now=now)
    yield from make_link(account.id, secret, by=BY_COMMAND, now=now)


def _only_administrators(account: Account) -> None:
    if Role.ADMINISTRATOR not in account.roles:
        raise InputError("this login is that of somebody who is no administrator")
