"""What `patchwork search --save` writes: the Bundles as agencies sent them, for other software to read."""

from collections.abc import Iterable
from pathlib import Path

import orjson
import typer

from gateway.errors import ConfigurationError
from gateway.files import replace_file
from gateway.node.results import MemberResult


def save_bundles(folder: Path, results: Iterable[MemberResult]) -> bool:
    """Each verified Bundle as <member>.json, the folder made if need be; False if one is not FHIR, and so not saved.

    A signature says whose it is, not that other software can read it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be made: {error.strerror}") from error
    all_saved = True
    for result in results:
        if result.bundle is None:
            continue
        bundle = orjson.loads(result.bundle)
        if _is_fhir(bundle):
            indented = orjson.dumps(bundle, option=orjson.OPT_INDENT_2)
            replace_file(folder / f"{result.member.id}.json", indented)
        else:
            typer.echo(f"{result.member.name}: what it sent is not a FHIR Bundle, and is not saved", err=True)
            all_saved = False
    return all_saved


def _is_fhir(bundle: object) -> bool:
    """By the models of R4B, which has R4's elements for every resource of an answer."""
    from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415 - slow to load, and few commands save

    try:
        Bundle.model_validate(bundle)
    except Exception:  # whatever a stranger's Bundle makes the library raise; its message would quote values
        return False
    return True
