"""`patchwork node ...`: make a node, let it serve, accept members."""

import re
from pathlib import Path
from typing import Annotated

import orjson
import typer

from gateway.cli.accounts import create_admin, list_accounts
from gateway.cli.add_federation import add_federation
from gateway.cli.node_backup import backup, restore
from gateway.cli.options import CLOCK, Config, InFederation, Yes, ask_first, node_of, opened, run
from gateway.cli.rotate_key import rotate_key
from gateway.cli.status import show_status
from gateway.days import DAY_S
from gateway.errors import ConfigurationError, InputError
from gateway.node.identity import make_keys
from gateway.node.membership import REFRESH_S
from gateway.settings import MEMBER_ID, NodeSettings, check_node, load_node
from gateway.wire.acceptance import PendingChange
from gateway.wire.federation import Federation, Member, MemberKey
from gateway.wire.join import KEY_YEARS_S, sign_join, verify_join
from gateway.wire.keys import fingerprint
from gateway.wire.limits import JOIN_LIFETIME_S
from gateway.wire.operator import PUBLIC_KEY_FILE, load_verify_key, replace_file
from mappings.vocabulary import OrganisationType, Sector

app = typer.Typer(help="Run an agency's gateway node.", no_args_is_help=True)

_TEMPLATE = """\
# The gateway node of {name}. Paths are relative to this file.
[node]
member = "{member}"
{link}
data = "data"
keys = "keys"

# How sure this node must be of a person before it discloses anything (docs/matching.md).
[matching]
disclose_at = 0.99
birth_needed = false  # true: a name and an exact postcode are not enough

[[federation]]
id = "{federation}"
operator_key = "operator.jwk"
hubs = ["{hub}"]
accept_members = "local"  # a new member waits until `patchwork node accept --config node.toml MEMBER`
agreements = []  # agreement files that this agency has signed and accepts

# Who may ask from this machine's command line.
[[practitioner]]
id = "me"
name = "{name}"
role = "Practitioner"
telecom = []

# Pages in a browser for this agency's own people: see docs/pages.md.
# [web]
# listen = "127.0.0.1:8480"
# url = "https://patchwork.example.org"  # exactly as people open it
# behind_proxy = true  # a proxy ends TLS and writes X-Forwarded-For

# Where this agency's own data comes from: see docs/connecting-a-case-system.md.
# [[source]]
# name = "clients"
# mapping = "my-mapping.toml"
# [source.options]
# path = "clients.csv"
"""


_LISTENS = 'listen = "127.0.0.1:8401"'
_DIALS = 'link = "dial"  # this node opens the link to its hub, and needs no port that others reach'


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
    endpoint: Annotated[str, typer.Option(help="Where the hub reaches this node; without, it dials the hub.")] = "",
    identifier: Annotated[list[str] | None, typer.Option(help="SYSTEM|VALUE, such as an ODS code. Repeatable.")] = None,
    duty_phone: Annotated[str, typer.Option(help="The duty contact's telephone number.")] = "",
    duty_email: Annotated[str, typer.Option(help="The duty contact's email address.")] = "",
) -> None:
    """Write keys, configuration and a signed join request for the federation's operator."""
    config = folder / "node.toml"
    if config.exists():
        raise ConfigurationError(f"{config}: is there already and is not overwritten")
    # (1) all that can be wrong with what was typed, before anything is written
    text = _TEMPLATE.format(
        name=_quotable(name),
        member=_member_id(member),
        link=_LISTENS if endpoint else _DIALS,
        federation=_quotable(federation),
        hub=_quotable(hub),
    )
    check_node(text, config)
    identifiers = tuple(_identifier(pair) for pair in identifier or ())
    operator = load_verify_key(operator_key)
    # (2) keys; those of an earlier start that broke off are kept
    now = CLOCK.now()
    signing_key, ledger_key = make_keys(folder / "keys", now)
    # (3) the request, checked as the operator will check it
    voluntary = organisation_type is OrganisationType.VOLUNTARY
    asked = Member(
        id=member,
        identifier=identifiers,
        name=name,
        type=organisation_type,
        sector=sector or (Sector.VOLUNTARY if voluntary else Sector.STATUTORY),
        status="active",
        keys=(MemberKey(key=signing_key.verify_key(), not_before=int(now), not_after=int(now) + KEY_YEARS_S),),
        ledger_key=ledger_key.public_jwk(),
        endpoint=endpoint or None,
        duty_contact=tuple(pair for pair in (("phone", duty_phone), ("email", duty_email)) if pair[1]),
    )
    request = sign_join(asked, signing_key, federation=federation, now=now)
    verify_join(request, federation=federation, now=now)
    # (4) files; the configuration comes last, so that a start that broke off can be made again
    replace_file(folder / "join-request.jws", request.encode())
    replace_file(folder / PUBLIC_KEY_FILE, orjson.dumps(operator.jwk()))
    replace_file(config, text.encode())
    typer.echo(f"Node {member} is ready in {folder}. Its key, to be read out to the operator by telephone:")
    typer.echo(f"  {fingerprint(signing_key.public_jwk())}")
    typer.echo("The operator's key that it will trust; compare it with the operator's own, by telephone:")
    typer.echo(f"  {fingerprint(operator.jwk())}")
    typer.echo(f"Send {folder / 'join-request.jws'} to the operator within {JOIN_LIFETIME_S // DAY_S} days.")
    what = "`listen` and the sources" if endpoint else "the sources"
    typer.echo(f"Then set {what} in {config}, and: patchwork node serve --config {config}")


@app.command()
def serve(config: Config) -> None:
    """Run this agency's node until it is stopped."""
    from gateway.app.serve_node import serve_node  # noqa: PLC0415 - the pages take a second to load

    run(serve_node(load_node(config)))


@app.command()
def status(config: Config, federation: InFederation) -> None:
    """Say what this node holds, with whom it shares, and what waits for somebody here."""
    settings = load_node(config)
    run(show_status(settings.chosen(federation) if federation else settings))


@app.command()
def accept(
    config: Config,
    federation: InFederation,
    member: Annotated[str, typer.Argument(help="A member's short id; without one, lists what waits.")] = "",
    yes: Yes = False,
) -> None:
    """Accept a member, or a change of one, that waits for this agency's own decision."""
    run(_accept(node_of(config, federation), member, yes=yes))


app.command("add-federation")(add_federation)
app.command("rotate-key")(rotate_key)
app.command("create-admin")(create_admin)
app.command("accounts")(list_accounts)
app.command()(backup)
app.command()(restore)


@app.command("clear-alarm")
def clear_alarm(config: Config, federation: InFederation, yes: Yes = False) -> None:
    """Go on after the federation document was found with two contents, once settled with the operator."""
    ask_first("Has the operator explained why there were two documents with one number?", yes=yes)
    run(_clear_alarm(node_of(config, federation)))


async def _accept(settings: NodeSettings, member: str, *, yes: bool) -> None:
    async with opened(settings) as node:
        membership = node.parts.membership
        waiting = (await membership.refresh()).waiting
        if member and membership.received is not None and member not in membership.received.members:
            raise InputError(f"{_member_id(member)} is not a member; `patchwork node status` lists them")
        waiting = tuple(change for change in waiting if not member or change.member == member)
        if not waiting:
            typer.echo("Nothing waits for a decision.")
            return
        if membership.received is not None:
            _show_waiting(waiting, membership.received)
        if not member:
            typer.echo("Accept each with: patchwork node accept MEMBER")
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
        typer.echo(f"{change.kind.value}: {member.name} ({member.id}), {member.type.value}, {member.sector.value}")
        for key in member.keys:
            if change.kid in {None, key.key.kid}:
                typer.echo(f"  key {fingerprint(key.key.jwk())}")


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
