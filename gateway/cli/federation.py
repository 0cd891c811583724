"""`patchwork federation ...`: the operator's commands, for a machine that is not the hub."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.federation_joins import FromFile, invite, joins, request_of
from gateway.cli.open_codes import forget_codes, open_codes
from gateway.cli.options import CLOCK, Yes, ask_first
from gateway.cli.wrapped import DEEP, say
from gateway.days import DAY_S, day_of
from gateway.doctor.finding import moment
from gateway.errors import InputError
from gateway.fhir.text import plain
from gateway.files import read_file
from gateway.policy.agreement import read_agreement
from gateway.policy.in_force import no_longer_signed, publish, signers
from gateway.settings import MEMBER_ID
from gateway.wire import jws
from gateway.wire.federation import AgreementBytes, Federation, Member
from gateway.wire.hand_over import HAND_OVER_S
from gateway.wire.join import ROTATION_TYP
from gateway.wire.keys import fingerprint
from gateway.wire.limits import MAX_AGREEMENT_BYTES, MAX_JOIN_BYTES, MAX_STATEMENT_BYTES
from gateway.wire.operator import (
    DOCUMENT_FILE,
    KEY_FILE,
    NEXT_KEY_FILE,
    PUBLIC_KEY_FILE,
    init_operator,
    load_verify_key,
    open_operator,
    read_statement,
)

app = typer.Typer(
    help="Run a federation: admit and suspend members, publish the signed member list.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Option("--folder", "-f", help="The operator's folder; keep it off the hub.")]
MemberName = Annotated[str, typer.Argument(metavar="MEMBER", help="The member's short id.")]


@app.command()
def init(
    name: Annotated[str, typer.Argument(help="The federation's short name.")],
    hub_key: Annotated[Path, typer.Option(help="The hub's public key file, as `patchwork hub init` wrote it.")],
    folder: Folder = Path("operator"),
) -> None:
    """Make the operator's key and an empty member list."""
    operator = init_operator(folder, name=name, hub_key=load_verify_key(hub_key), now=CLOCK.now())
    typer.echo(f"Federation {name} is ready in {folder}.")
    typer.echo(f"Operator's key: {fingerprint(operator.key.public_jwk())}")
    typer.echo(
        f"Give {folder / PUBLIC_KEY_FILE} to the hub and to every member; they compare its fingerprint with you."
    )
    typer.echo(f"Copy {folder / DOCUMENT_FILE} to the hub, and again after every change: {_left(operator.document)}.")


app.command()(invite)
app.command()(joins)


@app.command()
def admit(
    request: Annotated[
        str, typer.Argument(help="The member's join request file, or the fingerprint of one that `joins` lists.")
    ],
    listed_as: Annotated[
        str,
        typer.Option(
            "--as",
            help="List it under this id, not the one that it asks for: agreements know it by that (`catalogue_id`).",
        ),
    ] = "",
    from_file: FromFile = None,
    folder: Folder = Path("operator"),
    yes: Yes = False,
) -> None:
    """Admit a member, after comparing the fingerprint of its key with its officer, by telephone."""
    operator = open_operator(folder)
    is_file = from_file is None and (Path(request).exists() or request.endswith(".jws"))
    token = (
        read_statement(Path(request), MAX_JOIN_BYTES) if is_file else request_of(request, operator, folder, from_file)
    )
    if listed_as and not re.fullmatch(MEMBER_ID, listed_as):
        raise InputError("a member's id is lower-case letters, digits and hyphens, at most 48")
    asked = operator.read_join(token, CLOCK.now(), listed_as=listed_as)
    _echo_asked(asked.member)
    ask_first("Has the member's officer read out the same fingerprint?", yes=yes)
    _published(folder, operator.admit(token, CLOCK.now(), listed_as=listed_as))


@app.command()
def update(
    request: Annotated[Path, typer.Argument(help="A new join request of a member.")],
    folder: Folder = Path("operator"),
    yes: Yes = False,
) -> None:
    """Take a member's new address, contacts or key from a new request, as when its key was lost or stolen."""
    operator = open_operator(folder)
    token = read_statement(request, MAX_JOIN_BYTES)
    asked = operator.read_update(token, CLOCK.now()).member
    _echo_asked(asked)
    held = operator.document.members[asked.id]
    newest = asked.keys[-1]
    if newest.rotation is not None and newest not in held.keys:
        _echo_rotated(asked)
    elif asked.keys != held.keys:
        typer.echo("This key is NEW: the other members' officers have to accept it. Its keys until now end at once.")
        _echo_unsigned(operator.document, asked)
    if asked.ledger_key != held.ledger_key:
        _echo_ledger_key(asked)
    ask_first("Has the member's officer read out the same fingerprint, and asked for this change?", yes=yes)
    _published(folder, operator.update(token, CLOCK.now()))


def _echo_asked(member: Member) -> None:
    """What it asks to be listed as. The key comes first: nothing of theirs stands before it."""
    key = member.keys[-1]
    say(f"Key: {fingerprint(key.key.jwk())}", indent="     ")
    typer.echo(f"Good until {day_of(key.not_after)}")
    said = [f"{member.name} ({member.id}), {member.type.value}, {member.sector.value}"]
    said += [f"Identifier: {system} {value}" for system, value in member.identifier]
    said += [f"Reached at {member.endpoint or 'no address: it dials out'}"]
    said += [f"Duty contact: {system} {value}" for system, value in member.duty_contact]
    for line in said:
        say(" ".join(plain(line).split()), indent=DEEP, whole=False)  # no padding to a terminal's edge either


def _echo_rotated(asked: Member) -> None:
    newest, now = asked.keys[-1], CLOCK.now()
    by = jws.signer(newest.rotation or "", typ=ROTATION_TYP, max_bytes=MAX_STATEMENT_BYTES)
    for key in asked.keys[:-1]:
        ends = day_of(key.not_after)
        if key.key.kid == by:
            typer.echo(
                f"Its key until now has signed this one: members' nodes take it, and the old one, {by}, ends on {ends}."
            )
        elif key.not_after > now:
            typer.echo(
                f"Its key {key.key.kid} stays listed until {ends}: if nobody signs with it, patchwork federation "
                f"revoke {asked.id} {key.key.kid}"
            )


def _echo_unsigned(document: Federation, changed: Member) -> None:
    for lost in no_longer_signed(document, changed):
        typer.echo(
            f"{changed.name}'s signature of {lost.name}, version {lost.version}, falls with its key: the agreement "
            "ends for it until it signs again with another (`patchwork agreement sign`) and you carry that."
        )


def _echo_ledger_key(asked: Member) -> None:
    typer.echo(f"Ledger key: {fingerprint(asked.ledger_key)}")
    if asked.ledger_before:
        ends = day_of(asked.ledger_before[-1].until)
        typer.echo(f"Its ledger key until now has signed this one: its ledger goes on; the old one ends on {ends}.")
    else:
        typer.echo("This ledger key is NEW, and the old one has not signed it: its ledger has to open another epoch.")


@app.command()
def suspend(member: MemberName, folder: Folder = Path("operator")) -> None:
    """Suspend a member: within one refresh nobody asks it or answers it."""
    document = open_operator(folder).suspend(member, CLOCK.now())
    typer.echo(
        f"{document.members[member].name} ({member}) is suspended: patchwork federation resume {member} ends that."
    )
    _published(folder, document)


@app.command()
def resume(member: MemberName, folder: Folder = Path("operator")) -> None:
    """Let a suspended member take part again."""
    document = open_operator(folder).resume(member, CLOCK.now())
    typer.echo(f"{document.members[member].name} ({member}) takes part again.")
    _published(folder, document)


@app.command(context_settings={"ignore_unknown_options": True})  # one key id in 64 begins with a hyphen
def revoke(
    member: MemberName,
    kid: Annotated[str, typer.Argument(help="The key's id, as `show` prints it.")],
    folder: Folder = Path("operator"),
    yes: Yes = False,
) -> None:
    """Take a member's compromised signing key out of the list, and with it what that key has signed."""
    operator = open_operator(folder)
    held = operator.document.members.get(member)
    gone = [] if held is None else [key for key in held.keys if key.key.kid == kid]
    if held is not None and gone and len(held.keys) > 1:  # else it is refused below
        typer.echo(f"{held.name} ({member}), key {kid}\n  {fingerprint(gone[0].key.jwk())}")
        _echo_unsigned(operator.document, replace(held, keys=tuple(key for key in held.keys if key not in gone)))
        ask_first("Has the member's officer asked for this, naming the same fingerprint?", yes=yes)
    _published(folder, operator.revoke(member, kid, CLOCK.now()))


@app.command("add-hub")
def add_hub(
    hub_key: Annotated[Path, typer.Argument(help="The hub's public key file, as `patchwork hub init` wrote it.")],
    folder: Folder = Path("operator"),
    yes: Yes = False,
) -> None:
    """List one more hub, after comparing the fingerprint of its key with those who run it."""
    operator = open_operator(folder)
    key = load_verify_key(hub_key)
    typer.echo(f"Hub key {key.kid}\n  {fingerprint(key.jwk())}")
    ask_first("Have those who run that hub read out the same fingerprint?", yes=yes)
    _published(folder, operator.add_hub(key, CLOCK.now()))


@app.command("rotate-hub")
def rotate_hub(
    statement: Annotated[Path, typer.Argument(help="What `patchwork hub rotate-key` wrote.")],
    folder: Folder = Path("operator"),
    yes: Yes = False,
) -> None:
    """List a hub's next key beside the one that has signed it; compare its fingerprint with those who run it."""
    operator = open_operator(folder)
    token = read_statement(statement)
    old, new = operator.read_hub_rotation(token, CLOCK.now())
    typer.echo(f"Hub key {old.kid} has signed the next one, {new.kid}\n  {fingerprint(new.jwk())}")
    ask_first("Have those who run that hub read out the same fingerprint, and asked for this change?", yes=yes)
    document = operator.rotate_hub(token, CLOCK.now())
    typer.echo(
        f"The key until now ends on {day_of(document.hub_ends[old.kid])}; the hub goes over to the new one itself."
    )
    _published(folder, document)


@app.command("remove-hub", context_settings={"ignore_unknown_options": True})  # as with `revoke`
def remove_hub(
    kid: Annotated[str, typer.Argument(help="The key's id, as `show` prints it.")],
    folder: Folder = Path("operator"),
) -> None:
    """List a hub no longer: no node believes it or answers it any more."""
    _published(folder, open_operator(folder).remove_hub(kid, CLOCK.now()))


@app.command("hand-over")
def hand_over(
    days: Annotated[int, typer.Option(min=1, max=365, help="How long officers have to accept the next key.")] = (
        HAND_OVER_S // DAY_S
    ),
    folder: Folder = Path("operator"),
) -> None:
    """Make the operator's next key and name it in the list; this one goes on signing until officers have had time."""
    document = open_operator(folder).hand_over(CLOCK.now(), overlap_s=days * DAY_S)
    assert document.hand_over is not None  # noqa: S101 - just named
    typer.echo(f"The operator's next key:\n  {fingerprint(document.hand_over.new.jwk())}")
    typer.echo("Read it out to each member's officer and to whoever runs a hub, who ring you, or whom you ring:")
    typer.echo("`patchwork node accept-operator`, `patchwork hub accept-operator`.")
    typer.echo(
        f"From {day_of(document.hand_over.until)} on: patchwork federation take-over. Then whoever has not stops."
    )
    typer.echo(f"Keep a copy of {folder / NEXT_KEY_FILE} offline, as of {folder / KEY_FILE}.")
    _published(folder, document)


@app.command("take-over")
def take_over(folder: Folder = Path("operator"), yes: Yes = False) -> None:
    """Sign with the next operator's key from now on; members that have not accepted it stop."""
    operator, now = open_operator(folder), CLOCK.now()
    said = operator.document.hand_over
    if said is not None and now < said.until:
        raise InputError(f"officers have until {moment(said.until)} to accept the next key: take over after that")
    if codes := open_codes(folder, now):
        say(
            "Join codes end with the key that signed them, and requests that wait by them are refused: admit first "
            "whom you can (`patchwork federation joins`). Who is no member then needs a new code:"
        )
        for code in codes:
            typer.echo(f"  {code.name}, made to be good until {moment(code.expires_at)}")
    ask_first("Have all members' officers, and all hubs, accepted the next key?", yes=yes)
    document = operator.take_over(now)
    forget_codes(folder)
    typer.echo(f"The operator's key: {fingerprint(open_operator(folder).key.public_jwk())}")
    typer.echo("Destroy copies of the old one; its public half stays, for evidence of its time.")
    _published(folder, document)


@app.command()
def renew(folder: Folder = Path("operator")) -> None:
    """Sign the list anew; it is good for seven days."""
    _published(folder, open_operator(folder).renew(CLOCK.now()))


@app.command()
def agreement(
    text: Annotated[Path, typer.Argument(help="The agreement's TOML file.")],
    signatures: Annotated[list[Path], typer.Argument(help="Signatures, as `patchwork agreement sign` wrote them.")],
    folder: Folder = Path("operator"),
) -> None:
    """Carry an agreement and its members' signatures in the list."""
    operator = open_operator(folder)
    signed = read_file(text, MAX_AGREEMENT_BYTES)
    agreed = read_agreement(signed, str(text))
    tokens = {path: read_statement(path) for path in signatures}
    for path, token in tokens.items():
        if not signers(agreed, [token], operator.document):
            raise InputError(f"{path}: no signature of exactly this text by a member of {operator.document.name}")
    carried = AgreementBytes(text=signed, signatures=tuple(tokens.values()))
    document = operator.set_agreement(carried, CLOCK.now())
    _echo_agreements(document)
    _published(folder, document)


@app.command()
def show(folder: Folder = Path("operator")) -> None:
    """Print the member list in force."""
    operator = open_operator(folder)
    document = operator.document
    typer.echo(f"{document.name}, document {document.seq}, {_left(document)}")
    typer.echo(f"Operator's key: {fingerprint(operator.key.public_jwk())}")
    if document.hand_over is not None:
        ends = day_of(document.hand_over.until)
        typer.echo(f"  is handed over on {ends} to\n  {fingerprint(document.hand_over.new.jwk())}")
    for member in document.members.values():
        kind = f"{member.type.value}, {member.sector.value}"
        say(f"{member.name} ({member.id}), {kind}: {member.status}", indent=DEEP, whole=False)
        typer.echo(f"  {member.endpoint or 'dials out'}")
        for key in member.keys:
            ends = day_of(key.not_after)
            typer.echo(f"  key {key.key.kid}, until {ends}\n      {fingerprint(key.key.jwk())}")
    for hub_key in document.hub_keys.values():
        over = document.hub_ends.get(hub_key.kid)
        until = "" if over is None else f", until {day_of(over)}"
        typer.echo(f"Hub key {hub_key.kid}{until}\n      {fingerprint(hub_key.jwk())}")
    _echo_agreements(document)


def _echo_agreements(document: Federation) -> None:
    for published in publish(document).values():
        agreement = published.agreement
        typer.echo(f"Agreement {agreement.name}, version {agreement.version}")
        typer.echo(f"  signed by {', '.join(sorted(published.signed_by)) or 'nobody'}")
        if missing := sorted(agreement.members - published.signed_by):
            typer.echo(f"  not yet by {', '.join(missing)}")


def _published(folder: Path, document: Federation) -> None:
    path = folder / DOCUMENT_FILE
    to = "the hub" if len(document.hub_keys) == 1 else "every hub"
    typer.echo(f"Document {document.seq} of {document.name} is in {path}: copy it to {to}. It is {_left(document)}.")


def _left(document: Federation) -> str:
    seconds = document.expires_at - CLOCK.now()
    if seconds <= 0:
        return "EXPIRED: renew it"
    return f"good for another {seconds / DAY_S:.1f} days"
