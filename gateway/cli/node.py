"""`patchwork node ...`: make a node, let it serve, accept members."""

from typing import Annotated

import typer

from gateway.cli.accept_operator import accept_operator
from gateway.cli.accounts import create_admin, list_accounts
from gateway.cli.add_federation import add_federation
from gateway.cli.complete import for_node
from gateway.cli.node_backup import backup, restore
from gateway.cli.node_init import init, member_id
from gateway.cli.options import Config, InFederation, Yes, ask_first, node_of, opened, run
from gateway.cli.rotate_key import rotate_key
from gateway.cli.rotate_ledger_key import rotate_ledger_key
from gateway.cli.status import show_status
from gateway.cli.wrapped import DEEP, say
from gateway.errors import InputError
from gateway.node.membership import REFRESH_S
from gateway.settings import NodeSettings, load_node
from gateway.wire.acceptance import PendingChange
from gateway.wire.federation import Federation
from gateway.wire.keys import fingerprint

app = typer.Typer(help="Run an agency's gateway node.", no_args_is_help=True)
app.command()(init)


@app.command()
def serve(config: Config) -> None:
    """Run this agency's node until it is stopped."""
    from gateway.app.serve_node import serve_node  # noqa: PLC0415 - the pages take a second to load

    # Apart from the log's lines, for somebody who waits at a terminal.
    run(serve_node(load_node(config), config=config, say=lambda text: say(f"\n{text}\n")))


@app.command()
def status(config: Config, federation: InFederation) -> None:
    """Say what this node holds, with whom it shares, and what waits for somebody here."""
    settings = load_node(config)
    several = len(settings.federation) > 1

    def say_of(about: str, line: str) -> None:
        typer.echo(for_node(line, config, about if several else ""))

    run(show_status(settings.chosen(federation) if federation else settings, say_of))


@app.command()
def accept(
    config: Config,
    federation: InFederation,
    member: Annotated[str, typer.Argument(help="A member's short id; without one, lists what waits.")] = "",
    yes: Yes = False,
) -> None:
    """Accept a member, or a change of one, that waits for this agency's own decision."""
    several = len(load_node(config).federation) > 1
    each = for_node("patchwork node accept", config, federation if several else "")
    run(_accept(node_of(config, federation), member, each=each, yes=yes))


app.command("add-federation")(add_federation)
app.command("rotate-key")(rotate_key)
app.command("rotate-ledger-key")(rotate_ledger_key)
app.command("accept-operator")(accept_operator)
app.command("create-admin")(create_admin)
app.command("accounts")(list_accounts)
app.command()(backup)
app.command()(restore)


@app.command("clear-alarm")
def clear_alarm(config: Config, federation: InFederation, yes: Yes = False) -> None:
    """Go on after the federation document was found with two contents, once settled with the operator."""
    ask_first("Has the operator explained why there were two documents with one number?", yes=yes)
    run(_clear_alarm(node_of(config, federation)))


async def _accept(settings: NodeSettings, member: str, *, each: str, yes: bool) -> None:
    async with opened(settings) as node:
        membership = node.parts.membership
        waiting = (await membership.refresh()).waiting
        if member and membership.received is not None and member not in membership.received.members:
            raise InputError(f"{member_id(member)} is not a member; `patchwork node status` lists them")
        waiting = tuple(change for change in waiting if not member or change.member == member)
        if not waiting:
            typer.echo("Nothing waits for a decision.")
            return
        if membership.received is not None:
            _show_waiting(waiting, membership.received)
        if not member:
            typer.echo(f"Accept each with: {each} MEMBER")
            return
        ask_first(f"Have you checked these with {member} itself?", yes=yes)
        await membership.accept(member)
        typer.echo(f"{member} is accepted as it stands. A node that is running follows within {REFRESH_S:.0f} seconds.")


async def _clear_alarm(settings: NodeSettings) -> None:
    async with opened(settings) as node:
        await node.parts.membership.clear_alarm()
        view = await node.parts.membership.refresh()
        typer.echo(f"Goes on with document {view.federation.seq}.")


def _show_waiting(waiting: tuple[PendingChange, ...], received: Federation) -> None:
    """Each change with what an officer compares: name, kind of agency, and the fingerprints of keys not yet trusted."""
    for change in waiting:
        member = received.members[change.member]
        kind = f"{member.type.value}, {member.sector.value}"
        say(f"{change.kind.value}: {member.name} ({member.id}), {kind}", indent=DEEP, whole=False)
        for key in member.keys:
            if change.kid in {None, key.key.kid}:
                typer.echo(f"  key {fingerprint(key.key.jwk())}")
