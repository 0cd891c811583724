"""`patchwork federation invite` and `joins`: an agency joins by a code, and by what it reads out over the telephone."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.cli.open_codes import remember_code
from gateway.cli.options import CLOCK, run
from gateway.cli.wrapped import DEEP, say
from gateway.days import DAY_S
from gateway.doctor.finding import moment
from gateway.errors import ConfigurationError, HubError, InputError, MalformedMessage, NotForUs, WireError
from gateway.files import read_file, replace_file
from gateway.links.joins_client import fetch_waiting, hub_key_at, session_trusting
from gateway.links.shown_keys import ShownKeys
from gateway.wire import base64url
from gateway.wire.claims import array, only, read_claims
from gateway.wire.invitation import sign_invitation
from gateway.wire.join_code import Joining, VerifiedJoining, read_waiting, verified_of
from gateway.wire.keys import fingerprint
from gateway.wire.limits import KIB, MAX_AUTHORITY_BYTES, MAX_INVITATION_HUBS, MAX_JOINS_BYTES
from gateway.wire.operator import Operator, open_operator
from mappings.vocabulary import OrganisationType, Sector

HUBS_FILE = "hubs.json"  # beside the operator's key: where the hubs are, as the last invitation named them
MAX_FILE_BYTES = 64 * KIB
LEAST_DIGITS = 16  # of a fingerprint; all of them are shown and compared before anybody is admitted

OperatorFolder = Annotated[Path, typer.Option("--folder", "-f", help="The operator's folder; keep it off the hub.")]
FromFile = Annotated[
    Path | None,
    typer.Option("--from", help="What waits, as `patchwork hub joins` wrote it; without, the hub is asked."),
]


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the federation's hubs are, and whose certificates they have: X.509 in DER, none for the system's own."""

    hubs: tuple[str, ...]
    authorities: tuple[bytes, ...]


def default_sector(organisation_type: OrganisationType) -> Sector:
    """Of a kind of agency, unless somebody says otherwise."""
    return Sector.VOLUNTARY if organisation_type is OrganisationType.VOLUNTARY else Sector.STATUTORY


def invite(
    name: Annotated[str, typer.Option(help="Whom you invite: shown to them, and beside their request.")] = "",
    hub: Annotated[
        list[str] | None,
        typer.Option(help="A hub's address, as in https://hub.example.org. Repeatable; kept for the next invitation."),
    ] = None,
    organisation_type: Annotated[
        OrganisationType, typer.Option("--type", help="The kind of agency that is invited.")
    ] = OrganisationType.VOLUNTARY,
    sector: Annotated[Sector | None, typer.Option(help="By default from the type.")] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="With --hub: certificates of a private authority, in PEM, that the hubs have.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=30, help="How long the code is good.")] = 14,
    folder: OperatorFolder = Path("operator"),
) -> None:
    """Print a join code for one agency; give it to nobody else, and expect its call."""
    operator, now = open_operator(folder), CLOCK.now()
    if ca_file is not None and not hub:
        raise InputError("--ca-file goes with --hub")
    reach = Reach(tuple(hub), () if ca_file is None else _authorities(ca_file)) if hub else _kept(folder)
    try:
        invitation = sign_invitation(
            operator.document,
            operator.key,
            hubs=reach.hubs,
            organisation_type=organisation_type,
            sector=sector or default_sector(organisation_type),
            name=name,
            authorities=reach.authorities,
            now=now,
            lifetime_s=days * DAY_S,
        )
    except MalformedMessage as error:
        raise InputError(f"no code can be made of that: {error}") from error
    if hub:
        _keep(folder, reach)
    remember_code(folder, invitation, now)
    typer.echo(invitation.token)
    say(
        f"This line is the join code, good until {moment(invitation.expires_at)} and for one agency. They type: "
        "patchwork node init --join CODE" + ("" if name else ' --name "..."'),
        err=True,
    )


def joins(from_file: FromFile = None, folder: OperatorFolder = Path("operator")) -> None:
    """List who asks to join: each is to read its key's fingerprint out to you, by telephone, before you admit it."""
    operator = open_operator(folder)
    waiting = waiting_joins(operator, folder, from_file)
    if not waiting:
        typer.echo("Nobody asks to join.")
        return
    for each in waiting:
        member, invitation = each.request.member, each.invitation
        say(f"Key {fingerprint(each.key.jwk())}", indent="    ")  # first: nothing of theirs stands before it
        say(f"  {member.name} ({member.id}), {member.type.value}, {member.sector.value}", indent=DEEP, whole=False)
        meant = f"for {invitation.name}" if invitation.name else invitation.id
        typer.echo(f"  came {moment(each.received_at)}, by the invitation {meant}")
        if member.id in operator.document.members:
            typer.echo("  its id is a member's already: admit it under another, with --as")
        if any(other.invitation.id == invitation.id and other.key != each.key for other in waiting):
            typer.echo("  ANOTHER KEY CAME BY THE SAME INVITATION: somebody else has seen the code, or a hub lies")
    say("Agreements know an agency by the short id in brackets: if no party has it as `catalogue_id`, add --as ID.")
    typer.echo("Admit each after its call, by what it reads out: patchwork federation admit FINGERPRINT")


def request_of(text: str, operator: Operator, folder: Path, from_file: Path | None) -> str:
    """The request to join whose key has this fingerprint, or begins with it; raises InputError, HubError."""
    digits = re.sub(r"[\s:]", "", text.lower())
    if not re.fullmatch(rf"[0-9a-f]{{{LEAST_DIGITS},64}}", digits):
        raise InputError(
            f"{text}: neither a file nor a fingerprint, of which at least {LEAST_DIGITS} digits are wanted; "
            "`patchwork federation joins` lists them"
        )
    waiting = waiting_joins(operator, folder, from_file)
    found = [each for each in waiting if base64url.decode_text(each.key.kid).hex().startswith(digits)]
    if not found:
        raise InputError("no request to join has this fingerprint: `patchwork federation joins` lists those that wait")
    if len({each.key.kid for each in found}) > 1:
        raise InputError("more than one request to join begins like this: give all of the fingerprint")
    return found[0].token


def waiting_joins(operator: Operator, folder: Path, from_file: Path | None) -> list[VerifiedJoining]:
    """What waits, verified, of each key the newest that any hub holds; raises InputError, HubError."""
    now = CLOCK.now()
    try:
        waiting = (
            run(_ask_hubs(operator, _kept(folder)))
            if from_file is None
            else read_waiting(read_file(from_file, MAX_JOINS_BYTES))
        )
    except MalformedMessage as error:
        raise InputError(f"{from_file or 'what the hub sent'}: not a list of requests to join: {error}") from error
    verified, bad = verified_of(
        waiting, operator_key=operator.key.verify_key(), federation=operator.document.name, now=now
    )
    if bad:
        say(f"{bad} more that do not hold, or are over, are left out.", err=True)
    listed = operator.ever_listed  # one that was taken out, as a stolen one, asks for nothing either
    newest: dict[tuple[str, str], VerifiedJoining] = {}
    for each in verified:
        held = newest.get((each.key.kid, each.invitation.id))
        if each.key.kid not in listed and (held is None or held.request.issued_at < each.request.issued_at):
            newest[each.key.kid, each.invitation.id] = each
    return sorted(newest.values(), key=lambda each: (each.received_at, each.key.kid))


async def _ask_hubs(operator: Operator, reach: Reach) -> list[Joining]:
    """What any hub holds; one that cannot be asked is named, and it is an error only if none can.

    Each is asked which hub it is first, and what is signed for that one is of no use at another.
    """
    async with session_trusting(reach.authorities) as session:

        async def waiting_at(hub: str, kid: str) -> list[Joining]:
            return await fetch_waiting(
                session, hub, hub_key=kid, key=operator.key, federation=operator.document.name, clock=CLOCK
            )

        shown = await asyncio.gather(
            *(hub_key_at(session, hub, operator.document, clock=CLOCK) for hub in reach.hubs), return_exceptions=True
        )
        kids = {hub: kid for hub, kid in zip(reach.hubs, shown, strict=True) if not isinstance(kid, BaseException)}
        errors = [each for each in shown if isinstance(each, BaseException)]
        for hub, other in ShownKeys().take(kids).items():
            errors.append(NotForUs(f"{hub} shows the key of the hub at {other}"))
            del kids[hub]
        told = await asyncio.gather(*(waiting_at(hub, kid) for hub, kid in kids.items()), return_exceptions=True)
    errors += [each for each in told if isinstance(each, BaseException)]
    for error in errors:
        if not isinstance(error, HubError | WireError):
            raise error
    if all(isinstance(each, BaseException) for each in told):
        raise errors[0]
    for error in errors:
        say(f"Not asked: {error}", err=True)
    return [joining for each in told if not isinstance(each, BaseException) for joining in each]


def _authorities(file: Path) -> tuple[bytes, ...]:
    """Certificates and nothing else, whatever lies beside them in the file."""
    try:
        found = x509.load_pem_x509_certificates(read_file(file, MAX_FILE_BYTES))
    except ValueError as error:
        raise ConfigurationError(f"{file}: not a file of certificates in PEM") from error
    der = tuple(each.public_bytes(Encoding.DER) for each in found)
    if len(der) > MAX_INVITATION_HUBS or any(len(each) > MAX_AUTHORITY_BYTES for each in der):
        raise ConfigurationError(
            f"{file}: at most {MAX_INVITATION_HUBS} certificates of {MAX_AUTHORITY_BYTES} bytes fit into a join code"
        )
    return der


def _keep(folder: Path, reach: Reach) -> None:
    table = {
        "hubs": list(reach.hubs),
        "authorities": [base64url.encode_text(each) for each in reach.authorities],
    }
    replace_file(folder / HUBS_FILE, orjson.dumps(table))


def _kept(folder: Path) -> Reach:
    file = folder / HUBS_FILE
    if not file.exists():
        raise InputError("no invitation has said yet where the hub is: patchwork federation invite --hub ADDRESS")
    try:
        table = read_claims(read_file(file, MAX_FILE_BYTES), max_bytes=MAX_FILE_BYTES)
        only(table, frozenset({"hubs", "authorities"}))
        hubs = array(table, "hubs", str, minimum=1, maximum=MAX_INVITATION_HUBS)
        authorities = array(table, "authorities", str, maximum=MAX_INVITATION_HUBS)
        return Reach(tuple(hubs), tuple(base64url.decode_text(each) for each in authorities))
    except MalformedMessage as error:
        raise ConfigurationError(f"{file}: {error}; name the hubs again with --hub") from error
