"""`patchwork node init`: keys, configuration and a join request for a new node, with or without a join code."""

import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer

from gateway.cli.federation_joins import default_sector
from gateway.cli.node_join import Invited, ask, free_id, look_around, read_join_code
from gateway.cli.options import CLOCK, ask_line, run
from gateway.days import DAY_S
from gateway.errors import ConfigurationError, InputError
from gateway.files import replace_file
from gateway.node.identity import make_keys
from gateway.settings import MEMBER_ID, check_node
from gateway.wire.federation import Member, MemberKey, Pairs
from gateway.wire.join import KEY_YEARS_S, sign_join, verify_join
from gateway.wire.keys import VerifyKey, fingerprint
from gateway.wire.limits import JOIN_LIFETIME_S, MAX_TEXT_CHARS
from gateway.wire.member_names import MEMBER_NAME, is_member_name
from gateway.wire.operator import (
    PUBLIC_KEY_FILE,
    load_verify_key,
)
from mappings.vocabulary import OrganisationType, Sector

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
{pages}
# Where this agency's own data comes from: see docs/connecting-a-case-system.md.
# [[source]]
# name = "clients"
# mapping = "my-mapping.toml"
# [source.options]
# path = "clients.csv"
"""


_LISTENS = 'listen = "127.0.0.1:8401"'
_DIALS = 'link = "dial"  # this node opens the link to its hub, and needs no port that others reach'


_NO_PAGES = """\
# [web]
# listen = "127.0.0.1:8480"
# url = "https://patchwork.example.org"  # exactly as people open it
# behind_proxy = true  # a proxy ends TLS and writes X-Forwarded-For
"""
# Whoever joins by a code may have no case system, but puts clients in by hand: on pages, on this computer at first.
_PAGES = """\
[web]
listen = "127.0.0.1:{port}"
url = "http://127.0.0.1:{port}"  # for people at other computers: a name of its own, and TLS
"""
_PAGES_PORTS = range(8480, 8500)

_TRUSTED_FILE = "hub-ca.pem"
_TRUSTED = f'ca_file = "{_TRUSTED_FILE}"  # trusted instead of the system\'s own authorities, to reach the hub\n'


def init(
    name: Annotated[
        str, typer.Option(help="The agency's name as people know it. With --join, by default as the operator wrote it.")
    ] = "",
    folder: Annotated[
        Path | None, typer.Argument(help="A new folder for configuration and keys. With --join, by default its id.")
    ] = None,
    join: Annotated[
        str, typer.Option(help="A join code of the operator's, which says all that is needed; `-` asks for it.")
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
    if name:
        _check_name(name)
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
        required = {"FOLDER": folder, "--name": name, "--member": member, **given}
        del required["--sector"]
        if missing := [option for option, value in required.items() if not value]:
            raise typer.BadParameter(f"without --join, this needs {', '.join(missing)}")
        assert folder is not None and operator_key is not None and organisation_type is not None  # noqa: S101, PT018
        found = _Found(
            folder=folder,
            name=name,
            member=member_id(member),
            federation=federation,
            hubs=(hub,),
            operator=load_verify_key(operator_key),
            type=organisation_type,
            sector=sector or default_sector(organisation_type),
        )
    _make(found, endpoint=endpoint, identifiers=identifiers, duty_contact=contact)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Where and what a new node is to be; `invited` if a join code says so."""

    folder: Path
    name: str
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
    if not (name := name or invitation.name):
        raise InputError("--name is missing: this join code does not say the agency's name")
    _check_name(name)
    made = (folder or Path(member or free_id(name, ()))) / "node.toml"
    if made.exists():
        raise ConfigurationError(f"{made}: is there already. What comes next: patchwork node serve --config {made}")
    invited = run(look_around(invitation))
    found = member_id(member) if member else invited.free_id(name)
    if found in invited.federation.members:
        raise InputError(f"{found} is a member already: choose another --member, or leave it out")
    return _Found(
        folder=folder or Path(found),
        name=name,
        member=found,
        federation=invitation.federation,
        hubs=invitation.hubs,
        operator=invitation.operator_key,
        type=invitation.type,
        sector=invitation.sector,
        invited=invited,
    )


def _make(found: _Found, *, endpoint: str, identifiers: Pairs, duty_contact: Pairs) -> None:
    folder, name, invited = found.folder, found.name, found.invited
    config = folder / "node.toml"
    if config.exists():
        raise ConfigurationError(f"{config}: is there already and is not overwritten")
    # (1) all that can be wrong with what was typed, before anything is written
    trusted = b"" if invited is None else invited.authorities_pem
    port = None if invited is None else _free_port()
    text = _TEMPLATE.format(
        pages=_NO_PAGES if port is None else _PAGES.format(port=port),
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
        if port is not None:
            typer.echo(
                f"Its pages are at http://127.0.0.1:{port} then. Their first account, with a link to set the password:"
            )
            typer.echo(f'  patchwork node create-admin YOU@EXAMPLE.ORG --name "YOUR NAME" --config {config}')
        return
    typer.echo(f"Send {folder / 'join-request.jws'} to the operator within {JOIN_LIFETIME_S // DAY_S} days.")
    what = "`listen` and the sources" if endpoint else "the sources"
    typer.echo(f"Then set {what} in {config}, and: patchwork node serve --config {config}")


def _free_port() -> int | None:
    """For the pages: the first that nothing listens on just now."""
    for port in _PAGES_PORTS:
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return None


def member_id(text: str) -> str:
    if not re.fullmatch(MEMBER_ID, text):
        raise InputError("a member's id is lower-case letters, digits and hyphens, at most 48")
    return text


def _check_name(name: str) -> None:
    if not is_member_name(_quotable(name)):
        raise InputError(f"--name: an agency's name has {MEMBER_NAME}")


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
