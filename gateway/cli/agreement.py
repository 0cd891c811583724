"""`patchwork agreement ...`: what an agreement lets whom learn, before a member signs it and the operator carries it.

Each command that reads agreements stands in a file of its own beside this one.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import agreement_diff, agreement_explain, agreement_json, agreement_lint, agreement_what_if
from gateway.cli.options import CLOCK, Config, InFederation, Yes, ask_first, node_of
from gateway.errors import InputError
from gateway.files import read_file, replace_file
from gateway.node.identity import load_identity
from gateway.policy.agreement import read_agreement
from gateway.policy.in_force import sign_agreement
from gateway.wire.limits import MAX_AGREEMENT_BYTES

app = typer.Typer(help="Data sharing agreements.", no_args_is_help=True)
app.command()(agreement_lint.lint)
app.command()(agreement_explain.explain)
app.command()(agreement_diff.diff)
app.command()(agreement_what_if.what_if)
app.command()(agreement_json.export)
app.command("import")(agreement_json.import_)


@app.command()
def sign(
    config: Config,
    federation: InFederation,
    text: Annotated[Path, typer.Argument(help="The agreement's TOML file.")],
    output: Annotated[Path | None, typer.Option(help="Where to write the signature.")] = None,
    yes: Yes = False,
) -> None:
    """Sign exactly this text in this agency's name."""
    settings = node_of(config, federation)
    member, named = settings.node.member, settings.federation[0].id
    agreement = read_agreement(read_file(text, MAX_AGREEMENT_BYTES), str(text))
    typer.echo(f"{agreement.name}, version {agreement.version}, {agreement.start_date} to {agreement.end_date}")
    typer.echo(f"{len(agreement.rules)} rules, parties: {', '.join(party.name for party in agreement.parties)}")
    if member not in agreement.members:
        parties = ", ".join(sorted(agreement.members))
        raise InputError(
            f"{text}: {member} is not a party to this agreement. Its parties are, by member id: {parties}. If this "
            "agency is one of them under another id, ask the operator to list it so"
        )
    ask_first(f"Sign it for {member}?", yes=yes)
    me = load_identity(settings.node.keys, member=member, federation=named)
    signature = sign_agreement(agreement, member=member, federation=named, key=me.signing_key, now=CLOCK.now())
    path = output or text.with_name(f"{text.stem}.{member}.jws")
    replace_file(path, signature.encode())
    typer.echo(f"Signature written to {path}: send it to the operator.")
    listed = os.path.relpath(text.resolve(), config.resolve().parent)  # as the configuration file will read it
    typer.echo(f'To accept the agreement, write agreements = ["{listed}"] in {config}, then start the node again.')
