"""`patchwork hub rotate-key`: a hub's next signing key, which this one speaks for (docs/wire.md, "Rotation")."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from gateway.cli.options import CLOCK
from gateway.cli.rotating import write_for_operator
from gateway.errors import InputError
from gateway.files import read_file, replace_file
from gateway.hub.keys import HUB_PUBLIC_KEY_FILE, HubKeys
from gateway.settings import load_hub
from gateway.wire.federation import HUB, verify_document
from gateway.wire.join import sign_rotation
from gateway.wire.limits import MAX_DOCUMENT_BYTES
from gateway.wire.operator import load_operator_keys
from gateway.wire.rotating_keys import SETTLED_S

ROTATION_FILE = "hub-rotation.jws"


def rotate_key(
    config: Annotated[Path, typer.Option("--config", "-c", envvar="PATCHWORK_CONFIG")] = Path("hub.toml"),
    anew: Annotated[
        bool, typer.Option("--anew", help="Destroy a next key that waits already, as when the operator has removed it.")
    ] = False,
) -> None:
    """Make this hub's next signing key, and the statement by which the operator lists it."""
    table = load_hub(config).hub
    now = CLOCK.now()
    operator = load_operator_keys(table.operator_key)
    token = read_file(table.federation_document, MAX_DOCUMENT_BYTES).strip()
    document = verify_document(token, operator_key=operator, now=None)
    keys = HubKeys(table.keys)
    # What the serving process signs with may still be the one before: either speaks for the next.
    known = [kid for kid in document.hub_keys_at(now) if kid in keys.kids]
    if not known:
        raise InputError(
            f"{table.federation_document}: lists no key of this hub that is in force, so none can speak for the next: "
            "see docs/running-a-hub.md, Keys"
        )
    keys.follow(document, now)
    if keys.waiting is not None and keys.waiting.kid in document.hub_keys:
        raise InputError("the operator has listed the next key already: a running hub goes over to it by itself")
    new = keys.begin(anew=anew)
    replace_file(config.parent / HUB_PUBLIC_KEY_FILE, orjson.dumps(new.public_jwk()))
    statement = sign_rotation(new.verify_key(), keys.current, member=HUB, federation=document.name, now=now)
    write_for_operator(
        config.parent / ROTATION_FILE,
        statement,
        new.public_jwk(),
        what="signing key",
        command="rotate-hub",
        when=f"A running hub signs with it {SETTLED_S / 60:.0f} minutes after its document has come to list it.",
    )
