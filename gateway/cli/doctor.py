"""`patchwork doctor`: what is wrong with this node or hub, and what to do; it changes nothing."""

import tomllib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import orjson
import typer

from gateway.cli.complete import for_hub, for_node
from gateway.cli.options import CLOCK, run
from gateway.doctor.finding import Finding, Level, worst, wrong
from gateway.doctor.gather_federations import examine_nodes
from gateway.doctor.gather_hub import examine_hub
from gateway.errors import ConfigurationError
from gateway.files import read_file
from gateway.settings import NodeSettings, load_hub, load_node
from gateway.settings.reading import MAX_FILE_BYTES

_EXIT = {Level.WELL: 0, Level.WRONG: 1, Level.SOON: 3}  # 2 is for what was typed wrongly
_LABEL = {Level.WELL: "well ", Level.SOON: "soon ", Level.WRONG: "WRONG"}
_GRAVEST_FIRST = (Level.WRONG, Level.SOON, Level.WELL)


def doctor(
    config: Annotated[
        Path, typer.Option("--config", "-c", envvar="PATCHWORK_CONFIG", help="A node's or a hub's configuration file.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document, for programs.")] = False,
) -> None:
    """Examine a node or hub, running or not: what is wrong, and what to do about it.

    Exit code 0: all is well; 1: something does not work; 3: something will not work for ever.
    """
    findings = sorted(_examined(config), key=lambda finding: _GRAVEST_FIRST.index(finding.level))
    level = worst(findings)
    if as_json:
        document = {"level": level, "findings": [asdict(finding) for finding in findings]}
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        for finding in findings:
            typer.echo(f"{_LABEL[finding.level]} {finding.check}: {finding.what}")
            if finding.do:
                typer.echo(f"      do: {finding.do}")
    raise typer.Exit(_EXIT[level])


def _examined(config: Path) -> list[Finding]:
    try:
        if _is_hub(config):
            found = run(examine_hub(load_hub(config), CLOCK))
            return [replace(each, do=for_hub(each.do, config)) for each in found]
        settings = load_node(config)
        found = run(examine_nodes(settings, CLOCK))
        return [replace(each, do=for_node(each.do, config, _about(each, settings))) for each in found]
    except ConfigurationError as error:
        return [
            wrong("configuration", line, "mend it; config/node.toml and config/hub.toml show every setting")
            for line in str(error).splitlines()
        ]


def _about(finding: Finding, settings: NodeSettings) -> str:
    """The federation that a finding of a node in several names first."""
    named, _, _ = finding.what.partition(":")
    first = named.split(", ")[0]
    return first if len(settings.federation) > 1 and first in {each.id for each in settings.federation} else ""


def _is_hub(config: Path) -> bool:
    """By its one table; a file that cannot be read is left to the reader of settings to explain."""
    try:
        return "hub" in tomllib.loads(read_file(config, MAX_FILE_BYTES).decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False
