"""`patchwork node rotate-key`: the next signing key, which this one speaks for (docs/wire.md, "Rotation")."""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gateway.app.node import Node
from gateway.cli.options import CLOCK, Config, InFederation, node_of, opened, run
from gateway.days import DAY_S
from gateway.errors import FederationStale, HubError, InputError
from gateway.files import replace_file
from gateway.node.document_archive import was_listed
from gateway.node.membership import REFRESH_S
from gateway.settings import NodeSettings
from gateway.wire.federation import Member, MemberKey
from gateway.wire.join import KEY_YEARS_S, sign_join, sign_rotation, verify_join
from gateway.wire.keys import SigningKey, fingerprint
from gateway.wire.limits import JOIN_LIFETIME_S

REQUEST_FILE = "rotation-request.jws"
REVOKED = "the operator has revoked it; `patchwork node rotate-key --anew` makes another"


def rotate_key(
    config: Config,
    federation: InFederation,
    anew: Annotated[
        bool, typer.Option("--anew", help="Destroy a next key that waits already, as when the operator has revoked it.")
    ] = False,
) -> None:
    """Make this node's next signing key, and the request by which the operator lists it."""
    run(
        _rotate(
            node_of(config, federation),
            config.parent / (f"{federation}-{REQUEST_FILE}" if federation else REQUEST_FILE),
            anew=anew,
        )
    )


async def _rotate(settings: NodeSettings, file: Path, *, anew: bool) -> None:
    async with opened(settings) as node:
        me, membership = node.parts.me, node.parts.membership
        with contextlib.suppress(HubError):  # what is held will do
            await membership.refresh()
        now = CLOCK.now()
        listed = None if membership.received is None else membership.received.members.get(me.member)
        old = me.signing_key
        if listed is None:
            raise FederationStale(f"{me.member} is in no member list that has come here: nothing is to be rotated")
        if old.kid not in listed.keys_at(now):
            raise InputError(
                "the member list has no key of this node that is in force, so none can speak for the next: see "
                "docs/running-a-node.md, Keys"
            )
        if not anew and await waits_revoked(node):
            raise InputError(f"the next key waits here already, and {REVOKED}")
        new = me.signing_keys.begin(anew=anew)
        request = rotation_request(listed, new, old, federation=me.federation, now=now)
    replace_file(file, request.encode())
    typer.echo("The next signing key, to be read out to the operator by telephone:")
    typer.echo(f"  {fingerprint(new.public_jwk())}")
    typer.echo(f"Send {file} to the operator within {JOIN_LIFETIME_S // DAY_S} days: patchwork federation update")
    typer.echo(
        f"A running node signs with it within {REFRESH_S:.0f} seconds of its being listed, and until then as before."
    )
    typer.echo("Back up the folder of keys: it holds both, until the old one has ended and is removed.")


async def waits_revoked(node: Node) -> bool:
    """Whether the next key that waits here was listed by the operator once, and is so no longer."""
    me, received = node.parts.me, node.parts.membership.received
    waiting = me.signing_keys.waiting
    if waiting is None or received is None:
        return False
    listed = received.members.get(me.member)
    if listed is not None and any(key.key.kid == waiting.kid for key in listed.keys):
        return False
    return await node.database.read(was_listed(waiting.kid, member=me.member, federation=me.federation))


def rotation_request(listed: Member, new: SigningKey, old: SigningKey, *, federation: str, now: float) -> str:
    """A request for the member as it is listed, with `new` as its one key and `old`'s word for it; raises WireError."""
    key = MemberKey(
        key=new.verify_key(),
        not_before=int(now),
        not_after=int(now) + KEY_YEARS_S,
        rotation=sign_rotation(new.verify_key(), old, member=listed.id, federation=federation, now=now),
    )
    request = sign_join(replace(listed, keys=(key,), status="active"), new, federation=federation, now=now)
    verify_join(request, federation=federation, now=now)  # as the operator will
    return request
