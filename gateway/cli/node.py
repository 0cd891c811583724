"""`patchwork node ...`: make a node, let it serve, accept members."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer

from gateway.cli.accept_operator import accept_operator
from gateway.cli.accounts import create_admin, list_accounts
from gateway.cli.add_federation import add_federation
from gateway.cli.federation_joins import default_sector
from gateway.cli.node_backup import backup, restore
from gateway.cli.node_join import Invited, ask, look_around, read_join_code
from gateway.cli.options import CLOCK, Config, InFederation, Yes, ask_first, ask_line, node_of, opened, run
from gateway.cli.rotate_key import rotate_key
from gateway.cli.rotate_ledger_key import rotate_ledger_key
from gateway.cli.status import show_status
from gateway.days import DAY_S
from gateway.errors import ConfigurationError, InputError
from gateway.node.identity import make_keys
from gateway.node.membership import REFRESH_S
from gateway.settings import MEMBER_ID, NodeSettings, check_node, load_node
from gateway.wire.acceptance import PendingChange
from gateway.wire.federation import Federation, Member, MemberKey, Pairs
from gateway.wire.join import KEY_YEARS_S, sign_join, verify_join
from gateway.wire.keys import VerifyKey, fingerprint
from gateway.wire.limits import JOIN_LIFETIME_S, MAX_TEXT_CHARS
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
hubs = [{hubs}]
{trusted}accept_members = "local"  # a new member waits until `patchwork node accept --config node.toml MEMBER`
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


_TRUSTED_FILE = "hub-ca.pem"
_TRUSTED = f'ca_file = "{_TRUSTED_FILE}"  # trusted instead of the system\'s own authorities, to reach the hub\n'


@app.command()
def init(
    name: Annotated[str, typer.Option(help="The agency's name as people know it.")],
    folder: Annotated[
        Path | None, typer.Argument(help="A new folder for configuration and keys. With --join, by default its id.")
    ] = None,
    join: Annotated[
        str, typer.Option(help="A join code of the operator's, which says all but the name; `-` asks for it.")
    ] = "",
    member: Annotated[str, typer.Option(help="Short id: lower-case letters, digits and hyphens.")] = "",
    organisation_type: Annotated[OrganisationType | None, typer.Option("--type", help="The kind of agency.")] = None,
    federation: Annotated[str, typer.Option(help="The federation's short name.")] = "",
    hub: Annotated[str, typer.Option(help="The hub's address, as in https://hub.example.org.")] = "",
    operator_key: Annotated[Path | None, typer.Option(help="The operator's public key file, operator.jwk.")] = None,
    sector: Annotated[Sector | None, typer.Option(help="By default from the type.")] = None,
    endpoint: Annotated[str, typer.Option(help="Where the hub reaches this node; without, it dials the hub.")] = "",
    identifier: Annotated[list[str] | None, typer.Option(help="SYSTEM|VALUE, such as an ODS code. Repeatable.")] = None,
    duty_phone: Annotated[str, typer.Option(help="The duty contact's telephone number.")] = "",
    duty_email: Annotated[str, typer.Option(help="The duty contact's email address.")] = "",
) -> None:
    """Write keys, configuration and a signed join request for the federation's operator."""
    _quotable(name)
    identifiers = tuple(_identifier(pair) for pair in identifier or ())
    contact = tuple(pair for pair in (("phone", duty_phone), ("email", duty_email)) if pair[1])
    given = {
        "--type": organisation_type,
        "--federation": federation,
        "--hub": hub,
        "--operator-key": operator_key,
        "--sector": sector,
    }
    if join:
        if twice := [option for option, value in given.items() if value]:
            raise InputError(f"{', '.join(twice)}: the join code says that already")
        found = _by_code(join, name, member, folder)
    else:
        required = {"FOLDER": folder, "--member": member, **given}
        del required["--sector"]
        if missing := [option for option, value in required.items() if not value]:
            raise typer.BadParameter(f"without --join, this needs {', '.join(missing)}")
        assert folder is not None and operator_key is not None and organisation_type is not None  # noqa: S101, PT018
        found = _Found(
            folder=folder,
            member=_member_id(member),
            federation=federation,
            hubs=(hub,),
            operator=load_verify_key(operator_key),
            type=organisation_type,
            sector=sector or default_sector(organisation_type),
        )
    _make(found, name=name, endpoint=endpoint, identifiers=identifiers, duty_contact=contact)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Where and what a new node is to be; `invited` if a join code says so."""

    folder: Path
    member: str
    federation: str
    hubs: tuple[str, ...]
    operator: VerifyKey
    type: OrganisationType
    sector: Sector
    invited: Invited | None = None


def _by_code(join: str, name: str, member: str, folder: Path | None) -> _Found:
    """What the code and its hub say; nothing is written yet."""
    invitation = read_join_code((ask_line("The join code: ") or "") if join == "-" else join)
    invited = run(look_around(invitation))
    found = _member_id(member) if member else invited.free_id(name)
    if found in invited.federation.members:
        raise InputError(f"{found} is a member already: choose another --member, or leave it out")
    return _Found(
        folder=folder or Path(found),
        member=found,
        federation=invitation.federation,
        hubs=invitation.hubs,
        operator=invitation.operator_key,
        type=invitation.type,
        sector=invitation.sector,
        invited=invited,
    )


def _make(found: _Found, *, name: str, endpoint: str, identifiers: Pairs, duty_contact: Pairs) -> None:
    folder, invited = found.folder, found.invited
    config = folder / "node.toml"
    if config.exists():
        raise ConfigurationError(f"{config}: is there already and is not overwritten")
    # (1) all that can be wrong with what was typed, before anything is written
    trusted = b"" if invited is None else invited.authorities_pem
    text = _TEMPLATE.format(
        name=_quotable(name),
        member=found.member,
        link=_LISTENS if endpoint else _DIALS,
        federation=_quotable(found.federation),
        hubs=", ".join(f'"{_quotable(hub)}"' for hub in found.hubs),
        trusted=_TRUSTED if trusted else "",
    )
    check_node(text, config)
    # (2) keys; those of an earlier start that broke off are kept
    now = CLOCK.now()
    signing_key, ledger_key = make_keys(folder / "keys", now)
    # (3) the request, checked as the operator will check it
    asked = Member(
        id=found.member,
        identifier=identifiers,
        name=name,
        type=found.type,
        sector=found.sector,
        status="active",
        keys=(MemberKey(key=signing_key.verify_key(), not_before=int(now), not_after=int(now) + KEY_YEARS_S),),
        ledger_key=ledger_key.public_jwk(),
        endpoint=endpoint or None,
        duty_contact=duty_contact,
        ledger_until=int(now) + KEY_YEARS_S,
    )
    request = sign_join(asked, signing_key, federation=found.federation, now=now)
    verify_join(request, federation=found.federation, now=now)
    # (4) by a code, the hub has it before anything says that this node is ready; once more does no harm
    taken_by = "" if invited is None else run(ask(invited.invitation, request))
    # (5) files; the configuration comes last, so that a start that broke off can be made again
    replace_file(folder / "join-request.jws", request.encode())
    replace_file(folder / PUBLIC_KEY_FILE, orjson.dumps(found.operator.jwk()))
    if trusted:
        replace_file(folder / _TRUSTED_FILE, trusted)
    replace_file(config, text.encode())
    read_out = "Its key, to be read out to the operator by telephone:"
    typer.echo(f"Node {found.member} is ready in {folder}. {read_out}")
    typer.echo(f"  {fingerprint(signing_key.public_jwk())}")
    typer.echo("The operator's key that it will trust; compare it with the operator's own, by telephone:")
    typer.echo(f"  {fingerprint(found.operator.jwk())}")
    if invited is not None:
        typer.echo(
            f"{invited.invitation.operator} has your request, at {taken_by}. Ring its operator, by a number that you "
            "know already."
        )
        typer.echo(f"Then, or meanwhile: patchwork node serve --config {config}")
        return
    typer.echo(f"Send {folder / 'join-request.jws'} to the operator within {JOIN_LIFETIME_S // DAY_S} days.")
    what = "`listen` and the sources" if endpoint else "the sources"
    typer.echo(f"Then set {what} in {config}, and: patchwork node serve --config {config}")


@app.command()
def serve(config: Config) -> None:
    """Run this agency's node until it is stopped."""
    from gateway.app.serve_node import serve_node  # noqa: PLC0415 - the pages take a second to load

    run(serve_node(load_node(config), config=config, say=typer.echo))


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
    if len(text) > MAX_TEXT_CHARS:
        raise InputError(f"names and addresses have at most {MAX_TEXT_CHARS} characters")
    return text
