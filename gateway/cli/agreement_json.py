"""`patchwork agreement export` and `import`: agreements as MAIS SharingPolicy JSON, and back."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.agreement_lint import File, read
from gateway.errors import InputError
from gateway.fhir.text import plain
from gateway.files import read_file, replace_file
from gateway.policy.sharing_policy import EXTENSION, MAX_POLICY_BYTES, export_policy, import_policy


def export(
    file: File,
    output: Annotated[Path | None, typer.Option(help="Where to write it; else beside the agreement.")] = None,
) -> None:
    """Write the agreement as MAIS SharingPolicy JSON."""
    agreement = read(file)
    path = _new(output or file.with_suffix(".json"), "what somebody sent")
    replace_file(path, export_policy(agreement))
    typer.echo(f"Written to {path}. Version and rules, for which MAIS has no field, stand under {EXTENSION}.")
    typer.echo(f"Members sign the text of {file} and never this file: keep it.")


def import_(
    file: Annotated[Path, typer.Argument(help="The SharingPolicy's JSON file.")],
    output: Annotated[Path | None, typer.Option(help="Where to write the TOML; else beside it.")] = None,
    version: Annotated[str, typer.Option(help="What to call the version, if the file does not say.")] = "1",
) -> None:
    """Make an agreement's text from MAIS SharingPolicy JSON, for review and signing."""
    imported = import_policy(read_file(file, MAX_POLICY_BYTES), where=str(file), version=version)
    agreement = imported.agreement
    path = _new(output or file.with_suffix(".toml"), "what members have signed")
    replace_file(path, imported.text)
    typer.echo(plain(f"{agreement.name}, version {agreement.version}: written to {path}."))
    if not imported.has_rules:
        typer.echo(f"It has no rules, because {file} has no {EXTENSION} with any: NOTHING is disclosed under it.")
    if imported.of_sha256 is not None:
        typer.echo("It is a new text: signatures of the one that was exported do not hold for it. That one has SHA-256")
        typer.echo(plain(imported.of_sha256))
        typer.echo("If this one is to be signed, give it another version: two texts of one version are both ignored.")
    typer.echo("Look at it with `patchwork agreement lint` and `patchwork agreement explain` before anybody signs it.")


def _new(path: Path, else_lost: str) -> Path:
    """A path to write to; raises InputError rather than write over a file."""
    if path.exists():
        raise InputError(f"{path} exists, and may be {else_lost}: name another file with --output")
    return path
