"""`patchwork ledger evidence`, `patchwork ledger check-evidence`: what was asked and answered, years later."""

import re
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import Config, InFederation, first_hour_of, node_of, opened, run
from gateway.cli.wrapped import say
from gateway.errors import InputError, PatchworkError
from gateway.files import read_file, replace_file
from gateway.node.check_evidence import check
from gateway.node.evidence_file import MAX_EVIDENCE_BYTES, Evidence, read, write
from gateway.node.findings import proven
from gateway.node.question_evidence import evidence_of
from gateway.settings import NodeSettings
from gateway.wire.keys import fingerprint
from gateway.wire.operator import (
    load_operator_keys,
)

_JTI = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def write_evidence(
    jti: Annotated[str, typer.Argument(metavar="JTI", help="The question's id.")],
    config: Config,
    federation: InFederation,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write; evidence-JTI.json without it.")] = None,
    asked_by: Annotated[
        str, typer.Option("--asked-by", metavar="MEMBER", help="Who asked, if it was not this agency.")
    ] = "",
    since: Annotated[
        str, typer.Option("--since", help="The question is not older than this day, as in 2026-09-21: found sooner.")
    ] = "",
) -> None:
    """Write what this node can prove about one question into one file, which names people: mode 0600."""
    if not _JTI.fullmatch(jti):
        raise InputError("JTI is a question's id, as in 7f0c1a52-5f0e-4d3a-9d6b-0a1b2c3d4e5f")
    path = out or Path(f"evidence-{jti}.json")
    since_hour = first_hour_of(since, "--since") if since else 0
    evidence = run(_gather(node_of(config, federation), jti, asked_by or None, since_hour))
    replace_file(path, write(evidence))
    say(f"{path}: what {evidence.member} has on record about this question. It names people: keep it safe.")


async def _gather(settings: NodeSettings, jti: str, asked_by: str | None, since_hour: int) -> Evidence:
    async with opened(settings) as node:

        async def sign() -> None:
            try:
                await node.checkpoints.visit()
            except PatchworkError as error:
                typer.echo(f"No witness vouches for these entries yet, and none could be asked: {error}", err=True)

        return await evidence_of(
            jti,
            node=node.parts,
            operator_key=load_operator_keys(settings.federation[0].operator_key),
            asked_by=None if asked_by == settings.node.member else asked_by,
            since_hour=since_hour,
            sign=sign,
        )


def check_evidence(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `patchwork ledger evidence` wrote.")],
    operator_key: Annotated[
        Path | None, typer.Option("--operator-key", help="The operator's public key (JWK), from a source you trust.")
    ] = None,
) -> None:
    """Say what an evidence file proves, without node or network. Exit code 1 if any is false or none proven."""
    evidence = read(read_file(file, MAX_EVIDENCE_BYTES))
    key = None if operator_key is None else load_operator_keys(operator_key)
    say(f"Question {evidence.jti} in {evidence.federation}, as {evidence.member} has it on record.")
    findings = []
    for finding in check(evidence, operator_key=key):
        findings.append(finding)
        say(f"{finding.verdict.value}: {finding.says}", indent="  ")
    if key is None:
        say(f"The file's operator key has the fingerprint {fingerprint(evidence.operator_key.jwk())}")
    if not proven(findings):
        raise typer.Exit(1)
