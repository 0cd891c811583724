"""`patchwork node rotate-key`: the next signing key, which this one speaks for (docs/wire.md, "Rotation")."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gateway.app.node import Node
from gateway.cli.options import CLOCK, Config, InFederation, node_of, run
from gateway.cli.rotating import beside, opened_as_listed, write_for_operator
from gateway.errors import InputError
from gateway.node.document_archive import was_listed
from gateway.node.membership import REFRESH_S
from gateway.settings import NodeSettings
from gateway.wire.federation import Member, MemberKey
from gateway.wire.join import KEY_YEARS_S, sign_join, sign_rotation, verify_join
from gateway.wire.keys import SigningKey

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
    run(_rotate(node_of(config, federation), beside(config, federation, REQUEST_FILE), anew=anew))


async def _rotate(settings: NodeSettings, file: Path, *, anew: bool) -> None:
    async with opened_as_listed(settings) as (node, listed):
        me, now = node.parts.me, CLOCK.now()
        old = me.signing_key
        if old.kid not in listed.keys_at(now):
            raise InputError(
                "the member list has no key of this node that is in force, so none can speak for the next: see "
                "docs/running-a-node.md, Keys"
            )
        if not anew and await waits_revoked(node):
            raise InputError(f"the next key waits here already, and {REVOKED}")
        new = me.signing_keys.begin(anew=anew)
        request = rotation_request(listed, new, old, federation=me.federation, now=now)
    write_for_operator(
        file,
        request,
        new.public_jwk(),
        what="signing key",
        command="update",
        when=f"A running node signs with it within {REFRESH_S:.0f} seconds of its being listed, and until then as "
        "before.",
    )


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
