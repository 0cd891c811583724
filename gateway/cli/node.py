"""`patchwork node ...`: make a node, let it serve, accept members."""

import re
import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from gateway.app import open_node, serve_node
from gateway.cli.options import CLOCK, Config, Yes, ask_first, run
from gateway.errors import ConfigurationError, InputError
from gateway.node.identity import make_keys
from gateway.settings import MEMBER_ID, NodeSettings, load_node
from gateway.wire.acceptance import PendingChange
from gateway.wire.federation import Member, MemberKey
from gateway.wire.join import sign_join
from gateway.wire.keys import SigningKey, fingerprint
from gateway.wire.operator import read_jwk, replace_file
from mappings.vocabulary import OrganisationType, Sector

app = typer.Typer(help="Run an agency's gateway node.", no_args_is_help=True)

KEY_YEARS_S = 2 * 365 * 86_400  # how long a first signing key is good; rotate it before

_TEMPLATE = """\
# The gateway node of {name}. Paths are relative to this file.
[node]
member = "{member}"
listen = "127.0.0.1:8401"
data = "data"
keys = "keys"

[[federation]]
id = "{federation}"
operator_key = "operator.jwk"
hubs = ["{hub}"]
accept_members = "local"  # a new member waits until `patchwork node accept MEMBER`
agreements = []           # agreement files that this agency has signed and accepts

# Who may ask from this machine's command line.
[[practitioner]]
id = "me"
name = "{name}"
role = "Practitioner"
telecom = []

# Where this agency's own data comes from: see docs/connecting-a-case-system.md.
# [[source]]
# name = "clients"
# connector = "delimited"
# mapping = "my-mapping.toml"
# [source.options]
# path = "clients.csv"
"""


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new folder for configuration and keys.")],
    member: Annotated[str, typer.Option(help="Short id: lower-case letters, digits and hyphens.")],
    name: Annotated[str, typer.Option(help="The agency's name as people know it.")],
    organisation_type: Annotated[OrganisationType, typer.Option("--type", help="The kind of agency.")],
    federation: Annotated[str, typer.Option(help="The federation's short name.")],
    hub: Annotated[str, typer.Option(help="The hub's address, as in https://hub.example.org.")],
    operator_key: Annotated[Path, typer.Option(help="The operator's public key file, operator.jwk.")],
    sector: Annotated[Sector | None, typer.Option(help="By default from the type.")] = None,
    endpoint: Annotated[str, typer.Option(help="Where the hub reaches this node; empty if it cannot.")] = "",
    identifier: Annotated[list[str] | None, typer.Option(help="SYSTEM|VALUE, such as an ODS code. Repeatable.")] = None,
    duty_phone: Annotated[str, typer.Option(help="The duty contact's telephone number.")] = "",
    duty_email: Annotated[str, typer.Option(help="The duty contact's email address.")] = "",
) -> None:
    """Write keys, configuration and a signed join request for the federation's operator."""
    config = folder / "node.toml"
    if config.exists():
        raise ConfigurationError(f"{config}: is there already")
    operator = read_jwk(operator_key)
    now = CLOCK.now()
    signing_key, ledger_key = make_keys(folder / "keys", now)
    voluntary = organisation_type is OrganisationType.VOLUNTARY
    asked = Member(
        id=_member_id(member),
        identifier=tuple(_identifier(text) for text in identifier or ()),
        name=_quotable(name),
        type=organisation_type,
        sector=sector or (Sector.VOLUNTARY if voluntary else Sector.STATUTORY),
        status="active",
        keys=(MemberKey(key=signing_key.verify_key(), not_before=int(now), not_after=int(now) + KEY_YEARS_S),),
        ledger_key=ledger_key.public_jwk(),
        endpoint=endpoint or None,
        duty_contact=tuple(pair for pair in (("phone", duty_phone), ("email", duty_email)) if pair[1]),
    )
    replace_file(folder / "join-request.jws", sign_join(asked, signing_key, federation=federation, now=now).encode())
    replace_file(folder / "operator.jwk", orjson.dumps(dict(operator)))
    text = _TEMPLATE.format(name=name, member=member, federation=_quotable(federation), hub=_quotable(hub))
    replace_file(config, text.encode())
    load_node(config)
    typer.echo(f"Node {member} is ready in {folder}. Its key, to be read out to the operator by telephone:")
    typer.echo(f"  {_shown(signing_key)}")
    typer.echo(f"Send {folder / 'join-request.jws'} to the operator.")


@app.command()
def serve(config: Config) -> None:
    """Run this agency's node until it is stopped."""
    run(serve_node(load_node(config)))


@app.command()
def accept(
    config: Config,
    member: Annotated[str, typer.Argument(help="A member's short id; without one, lists what waits.")] = "",
    yes: Yes = False,
) -> None:
    """Accept a member, or a change of one, that waits for this agency's own decision."""
    run(_accept(load_node(config), member, yes=yes))


@app.command("clear-alarm")
def clear_alarm(config: Config, yes: Yes = False) -> None:
    """Go on after the federation document was found with two contents, once settled with the operator."""
    ask_first("Has the operator explained why there were two documents with one number?", yes=yes)
    run(_clear_alarm(load_node(config)))


async def _accept(settings: NodeSettings, member: str, *, yes: bool) -> None:
    node = await open_node(settings, clock=CLOCK)
    try:
        view = await node.parts.membership.refresh()
        waiting = [change for change in view.waiting if not member or change.member == member]
        if not waiting:
            typer.echo("Nothing waits for a decision.")
            return
        _show_waiting(waiting)
        if member:
            ask_first(f"Have you checked with {member} itself that this is right?", yes=yes)
            await node.parts.membership.accept(member)
            typer.echo(f"{member} is accepted as it stands.")
    finally:
        await node.close()


async def _clear_alarm(settings: NodeSettings) -> None:
    node = await open_node(settings, clock=CLOCK)
    try:
        await node.parts.membership.clear_alarm()
        view = await node.parts.membership.refresh()
        typer.echo(f"Goes on with document {view.federation.seq}.")
    finally:
        await node.close()


def _show_waiting(waiting: list[PendingChange]) -> None:
    table = Table("Member", "What changed", "Key")
    for change in waiting:
        table.add_row(change.member, change.kind.value, change.kid or "")
    Console(file=sys.stdout).print(table)


def _member_id(text: str) -> str:
    if not re.fullmatch(MEMBER_ID, text):
        raise InputError("a member's id is lower-case letters, digits and hyphens, at most 48")
    return text


def _identifier(text: str) -> tuple[str, str]:
    system, bar, value = text.rpartition("|")
    if not bar or not system or not value:
        raise InputError("an identifier is SYSTEM|VALUE, as in https://fhir.nhs.uk/Id/ods-organization-code|X26")
    return system, value


def _quotable(text: str) -> str:
    """Text that goes into a TOML string as it is."""
    if not text or any(character in text for character in '"\\') or not text.isprintable():
        raise InputError("names and addresses hold no quotation marks, backslashes or control characters")
    return text


def _shown(key: SigningKey) -> str:
    return fingerprint(key.public_jwk())
