"""`patchwork hub ...`: make a hub's key and run it."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from gateway.app.opening import make_private_folder
from gateway.app.serve_hub import serve_hub
from gateway.app.serve_workers import serve_workers
from gateway.cli.accept_operator import accept_operator_at_hub
from gateway.cli.hub_backup import backup, restore
from gateway.cli.options import CLOCK, run
from gateway.cli.rotate_hub_key import rotate_key
from gateway.doctor.looking import read_only
from gateway.errors import ConfigurationError
from gateway.files import read_file, replace_file
from gateway.hub.joins import waiting_joins
from gateway.hub.keys import HUB_KEY_FILE, HUB_PUBLIC_KEY_FILE
from gateway.settings import check_hub, load_hub
from gateway.wire.federation import verify_document
from gateway.wire.join_code import waiting_json
from gateway.wire.keys import SigningKey, fingerprint
from gateway.wire.limits import MAX_DOCUMENT_BYTES
from gateway.wire.operator import (
    load_operator_keys,
)

app = typer.Typer(help="Run a hub: it passes sealed questions on and can read none of them.", no_args_is_help=True)


HubConfig = Annotated[Path, typer.Option("--config", "-c", envvar="PATCHWORK_CONFIG")]

_TEMPLATE = """\
# A discovery hub. Paths are relative to this file; docs/wire.md says what the hub does.
[hub]
id = "{id}"
listen = "127.0.0.1:8400"
data = "data"
keys = "keys"
federation_document = "federation.jws"  # copied here by the operator, read again whenever it changes
operator_key = "operator.jwk"
"""


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new folder for configuration and key.")],
    name: Annotated[str, typer.Option(help="The hub's short id.")] = "hub",
) -> None:
    """Write a hub's configuration and key."""
    config = folder / "hub.toml"
    if config.exists():
        raise ConfigurationError(f"{config}: is there already and is not overwritten")
    text = _TEMPLATE.format(id=name)
    check_hub(text, config)
    make_private_folder(folder)
    make_private_folder(folder / "keys")
    key_file = folder / "keys" / HUB_KEY_FILE
    if not key_file.exists():  # the configuration is written last: a key without one is of a start that broke off
        SigningKey.generate().save(key_file)
    key = SigningKey.load(key_file)
    replace_file(folder / HUB_PUBLIC_KEY_FILE, orjson.dumps(key.public_jwk()))
    replace_file(config, text.encode())
    typer.echo(f"Hub {name} is ready in {folder}. Its key: {fingerprint(key.public_jwk())}")
    typer.echo(f"Give {folder / HUB_PUBLIC_KEY_FILE} to the operator, who sends back federation.jws and operator.jwk.")
    typer.echo(f"Put both into {folder}, set `listen` in {config}, then: patchwork hub serve --config {config}")


@app.command()
def joins(
    config: HubConfig = Path("hub.toml"),
    output: Annotated[Path, typer.Option(help="Where to write them.")] = Path("joins.json"),
) -> None:
    """Write down who asks to join, for an operator whose machine has no network: federation joins --from FILE."""
    table = load_hub(config).hub
    token = read_file(table.federation_document, MAX_DOCUMENT_BYTES).strip()
    document = verify_document(token, operator_key=load_operator_keys(table.operator_key), now=None)
    waiting = read_only(table.data / "hub.db", waiting_joins(document, CLOCK.now()))
    replace_file(output, waiting_json(waiting))
    typer.echo(f"{len(waiting)} waiting, in {output}: give it to the operator.")


@app.command()
def serve(
    config: HubConfig = Path("hub.toml"),
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many processes share the work.")] = 1,
) -> None:
    """Run the hub until it is stopped."""
    settings = load_hub(config)
    for path in (settings.hub.operator_key, settings.hub.federation_document):
        if not path.exists():
            raise ConfigurationError(f"{path}: is not there; the federation's operator has it, copy it here")
    run(serve_hub(settings) if workers == 1 else serve_workers(config, settings, workers=workers))


app.command("rotate-key")(rotate_key)
app.command("accept-operator")(accept_operator_at_hub)
app.command()(backup)
app.command()(restore)
