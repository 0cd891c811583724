"""`patchwork node rotate-ledger-key`: the ledger's next key, which this one speaks for (docs/wire.md, "Rotation").

The ledger itself stays as it is: the same entries, tree and epoch under another key.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import CLOCK, Config, InFederation, node_of, run
from gateway.cli.rotating import beside, opened_as_listed, write_for_operator
from gateway.errors import InputError
from gateway.settings import NodeSettings
from gateway.wire.federation import Member
from gateway.wire.join import KEY_YEARS_S, sign_join, verify_join
from gateway.wire.keys import LedgerKey, SigningKey
from gateway.wire.ledger_keys import FormerLedgerKey, sign_word
from gateway.wire.operator import ROTATION_OVERLAP_S
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
    run(_rotate(node_of(config, federation), beside(config, federation, REQUEST_FILE), anew=anew))


async def _rotate(settings: NodeSettings, file: Path, *, anew: bool) -> None:
    async with opened_as_listed(settings) as (node, listed):
        me, now = node.parts.me, CLOCK.now()
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
    write_for_operator(
        file,
        request,
        new.public_jwk(),
        what="ledger key",
        command="update",
        when=f"A running node signs with it {SETTLED_S / 60:.0f} minutes after it has found it listed.",
    )


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
