"""`patchwork node add-federation`: keys, a folder and a join request for one more federation of this node."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import orjson
import typer

from gateway.cli.options import CLOCK, Config, opened, run
from gateway.days import DAY_S
from gateway.errors import FederationStale, InputError
from gateway.files import read_file, replace_file
from gateway.node.identity import make_keys
from gateway.settings import NodeSettings, check_node, load_node
from gateway.settings.reading import MAX_FILE_BYTES
from gateway.wire.federation import ACTIVE, Member, MemberKey
from gateway.wire.join import KEY_YEARS_S, sign_join, verify_join
from gateway.wire.keys import fingerprint
from gateway.wire.limits import JOIN_LIFETIME_S
from gateway.wire.operator import PUBLIC_KEY_FILE, load_verify_key

_TABLE = """
[[federation]]
id = {name}
folder = {folder}  # its data and keys, apart from all others
{member}operator_key = {operator}
hubs = [{hub}]
accept_members = "local"
agreements = []
"""


def add_federation(
    config: Config,
    name: Annotated[str, typer.Argument(metavar="FEDERATION", help="The other federation's short name.")],
    hub: Annotated[str, typer.Option(help="Its hub's address, as in https://hub.example.org.")],
    operator_key: Annotated[Path, typer.Option(help="Its operator's public key file, operator.jwk.")],
    folder: Annotated[str, typer.Option(help="Beside the configuration; by default the federation's name.")] = "",
    member: Annotated[str, typer.Option(help="This agency's short id there; by default as here.")] = "",
) -> None:
    """Make keys for another federation, add it to the configuration, and write a join request for its operator.

    The request says of this agency what the member list says that this node is in already.
    """
    settings = load_node(config)
    # (1) all that can be wrong with what was typed, before anything is written
    before = read_file(config, MAX_FILE_BYTES).decode("utf-8")
    own = config.resolve().parent / (folder or name)
    table = _TABLE.format(
        name=_toml(name),
        folder=_toml(folder or name),
        member=f"member = {_toml(member)}\n" if member else "",
        operator=_toml(str(Path(folder or name) / PUBLIC_KEY_FILE)),
        hub=_toml(hub),
    )
    after = f"{_feeding(before, settings)}\n{table}"
    added = check_node(after, config).chosen(name)
    if own.exists() and any(own.iterdir()) and not (own / "keys").is_dir():
        raise InputError(f"{own}: is there and holds something else; name another folder with --folder")
    operator = load_verify_key(operator_key)
    listed = run(_listed(settings))
    # (2) keys of its own; those of an earlier start that broke off are kept
    now = CLOCK.now()
    signing_key, ledger_key = make_keys(added.node.keys, now)
    # (3) the request, checked as the operator will check it
    asked = replace(
        listed,
        id=added.node.member,
        status=ACTIVE,
        keys=(MemberKey(key=signing_key.verify_key(), not_before=int(now), not_after=int(now) + KEY_YEARS_S),),
        ledger_key=ledger_key.public_jwk(),
        ledger_until=int(now) + KEY_YEARS_S,
        ledger_before=(),
    )
    request = sign_join(asked, signing_key, federation=name, now=now)
    verify_join(request, federation=name, now=now)
    # (4) files; the configuration comes last, so that a start that broke off can be made again
    replace_file(own / "join-request.jws", request.encode())
    replace_file(own / PUBLIC_KEY_FILE, orjson.dumps(operator.jwk()))
    replace_file(config, after.encode())
    typer.echo(f"{config} has {name} now, with data and keys in {own}.")
    typer.echo("This agency's key there, to be read out to its operator by telephone:")
    typer.echo(f"  {fingerprint(signing_key.public_jwk())}")
    typer.echo("That operator's key, which this node will trust there; compare it by telephone:")
    typer.echo(f"  {fingerprint(operator.jwk())}")
    typer.echo(f"Send {own / 'join-request.jws'} to the operator within {JOIN_LIFETIME_S // DAY_S} days.")
    typer.echo(
        "No source feeds it yet: `federations` of a [[source]] says which it feeds, each by an import of its own."
    )
    typer.echo("Then start the node again. Commands want --federation from now on.")


async def _listed(settings: NodeSettings) -> Member:
    """This agency, as the member list of the first federation that has it says."""
    for each in settings.apart:
        async with opened(each) as node:
            received = node.parts.membership.received
        if received is not None and each.node.member in received.members:
            return received.members[each.node.member]
    raise FederationStale("this node is in no member list that has come here: let it join its first federation before")


def _feeding(text: str, settings: NodeSettings) -> str:
    """The configuration's text with what each source has fed so far said of it."""
    if len(settings.federation) > 1:
        return text.rstrip()  # it had to be said already
    line = f"[[source]]\nfederations = [{_toml(settings.federation[0].id)}]"
    return re.sub(r"^\[\[source\]\]\s*?(?=\n)", lambda _: line, text.rstrip(), flags=re.M)


def _toml(text: str) -> str:
    """Text that goes into a TOML string as it is."""
    if not text or any(character in text for character in '"\\') or not text.isprintable():
        raise InputError("names, folders and addresses hold no quotation marks, backslashes or control characters")
    return f'"{text}"'
