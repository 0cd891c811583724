"""`patchwork node rotate-ledger-key`: the ledger's next key, which this one speaks for (docs/wire.md, "Rotation").

The ledger itself stays as it is: the same entries, tree and epoch under another key.
"""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import CLOCK, Config, InFederation, node_of, opened, run
from gateway.days import DAY_S
from gateway.errors import FederationStale, HubError, InputError
from gateway.files import replace_file
from gateway.settings import NodeSettings
from gateway.wire.federation import Member
from gateway.wire.join import KEY_YEARS_S, sign_join, verify_join
from gateway.wire.keys import LedgerKey, SigningKey, fingerprint
from gateway.wire.ledger_keys import FormerLedgerKey, sign_word
from gateway.wire.limits import JOIN_LIFETIME_S
from gateway.wire.operator import (
    ROTATION_OVERLAP_S,
)
from gateway.wire.rotating_keys import SETTLED_S

REQUEST_FILE = "ledger-rotation-request.jws"


def rotate_ledger_key(
    config: Config,
    federation: InFederation,
    anew: Annotated[
        bool, typer.Option("--anew", help="Destroy a next key that waits already, as when its file may have been read.")
    ] = False,
) -> None:
    """Make this node's next ledger key, and the request by which the operator lists it."""
    file = config.parent / (f"{federation}-{REQUEST_FILE}" if federation else REQUEST_FILE)
    run(_rotate(node_of(config, federation), file, anew=anew))


async def _rotate(settings: NodeSettings, file: Path, *, anew: bool) -> None:
    async with opened(settings) as node:
        me, membership = node.parts.me, node.parts.membership
        with contextlib.suppress(HubError):  # what is held will do
            await membership.refresh()
        now = CLOCK.now()
        listed = None if membership.received is None else membership.received.members.get(me.member)
        if listed is None:
            raise FederationStale(f"{me.member} is in no member list that has come here: nothing is to be rotated")
        if me.ledger_key.kid != listed.ledger_key["kid"]:
            listed_here = listed.ledger_key["kid"] in me.ledger_keys.kids
            raise InputError(
                "the operator has listed the next ledger key already: a running node goes over to it by itself"
                if listed_here
                else "the member list has another ledger key than this node, so none can speak for the next: see "
                "docs/ledger.md, Failures"
            )
        new = me.ledger_keys.begin(anew=anew)
        request = ledger_rotation_request(
            listed, new, me.ledger_key, signing=me.signing_key, federation=me.federation, now=now
        )
    replace_file(file, request.encode())
    typer.echo("The next ledger key, to be read out to the operator by telephone:")
    typer.echo(f"  {fingerprint(new.public_jwk())}")
    typer.echo(f"Send {file} to the operator within {JOIN_LIFETIME_S // DAY_S} days: patchwork federation update")
    typer.echo(f"A running node signs with it {SETTLED_S / 60:.0f} minutes after it has found it listed.")
    typer.echo("Back up the folder of keys: it holds both, until the old one has ended and is removed.")


def ledger_rotation_request(
    listed: Member, new: LedgerKey, old: LedgerKey, *, signing: SigningKey, federation: str, now: float
) -> str:
    """A request for the member as it is listed, with `new` as its ledger key and `old`'s word for it.

    `signing` must be a key that the list has in force; raises InputError, WireError.
    """
    key = next((key for key in listed.keys if key.key.kid == signing.kid), None)
    if key is None:
        raise InputError("the member list has no signing key of this node, so nobody can ask for it: see `rotate-key`")
    former = FormerLedgerKey(
        jwk=old.public_jwk(),
        until=int(now) + ROTATION_OVERLAP_S,
        word=sign_word(new.public_jwk(), old, member=listed.id, federation=federation),
    )
    asked = replace(
        listed,
        keys=(key,),
        status="active",
        ledger_key=new.public_jwk(),
        ledger_until=int(now) + KEY_YEARS_S,
        ledger_before=(former,),
    )
    request = sign_join(asked, signing, federation=federation, now=now)
    verify_join(request, federation=federation, now=now)  # as the operator will
    return request
