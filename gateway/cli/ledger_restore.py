"""`patchwork ledger restore`: an officer lets a ledger that has lost entries go on, in a new epoch that says so.

(1) what is left must hold together by itself
(2) the hub must be there: it, or any witness, says how far the ledger had come
(3) show what was lost, and that consents, withdrawals and objections of that time have to be entered again
(4) the officer confirms; the decision is the ledger's next entry
(5) sign the first checkpoint of the new epoch, which names the old head, and have it cosigned
"""

import typer

from consent_ledger import heads
from consent_ledger.checkpoint import Head
from consent_ledger.read import Entry
from gateway.app.node import Node
from gateway.cli.ledger_checkpoint import said
from gateway.cli.officer import By, noted
from gateway.cli.options import Config, InFederation, Yes, ask_first, node_of, opened, run
from gateway.cli.times import utc
from gateway.days import HOUR_S
from gateway.errors import HubError, InputError, LedgerDoubtful
from gateway.node.ledger_comparison import check_origin
from gateway.node.witnesses import NOT_OURS, Answer
from gateway.settings import NodeSettings
from gateway.wire.federation import HUB

MAX_EPOCHS_AHEAD = 1000  # of what our key has not signed: nobody else may use up the numbers of our epochs


def restore(
    config: Config,
    federation: InFederation,
    by: By = "",
    yes: Yes = False,
) -> None:
    """Go on after a backup was restored: shows what was lost, and opens a new epoch that names it."""
    run(_restore(node_of(config, federation), noted(by, "--by", "Who decides"), yes=yes))


async def _restore(settings: NodeSettings, by: str, *, yes: bool) -> None:
    async with opened(settings) as node:
        await _must_be_ours(node)
        here = await node.parts.ledger.verify()  # (1)
        await node.parts.membership.refresh()
        answers = await node.checkpoints.witnesses.ask()  # (2)
        if answers[0].silent and answers[0].silent != NOT_OURS:
            raise HubError(f"the hub {answers[0].silent}: without it nobody can say how far the ledger had come")
        doubt = await _doubt(node)
        if not doubt:
            typer.echo("The ledger has all that its witnesses have seen of it: there is nothing to restore.")
            return
        lost = await _old_head(node, answers)
        typer.echo(f"Nothing is disclosed: {doubt}.")  # (3)
        for answer in answers:
            _show(answer)
        typer.echo(f"This ledger has {here.size} entries; the old one had come to {lost.size} in epoch {lost.epoch}.")
        newest = [entry async for entry in node.parts.ledger.entries(max(here.size - 1, 0))]
        if newest:
            typer.echo(f"Its newest entry is of {_when(newest[0])}. What was recorded after the backup is lost:")
            typer.echo("  (if that entry was made since the backup was put back, the lost time began before it)")
        typer.echo("  consents, withdrawals and objections: enter them again (patchwork consent --help)")
        typer.echo("  answers that left meanwhile: whoever asked has their own record of them")
        typer.echo("Say no to do that first, and run this again: nothing has been changed yet.")
        ask_first("Are all withdrawals and objections of that time entered again?", yes=yes)
        await node.parts.ledger.log_epoch(lost, by=by)  # (4)
        visit = await node.checkpoints.open_epoch(lost)  # (5)
        head = visit.stored.checkpoint.head
        typer.echo(f"Epoch {head.epoch} begins with {head.size} entries and names the old head.")
        for word in visit.words:
            typer.echo(f"  {said(word)}")


def _when(entry: Entry) -> str:
    """To the minute where it can be opened, else to the hour."""
    return utc(entry.body["at"]) if entry.body is not None else f"the hour from {utc(entry.header.hour * HOUR_S)}"


async def _must_be_ours(node: Node) -> None:
    try:
        await node.ledger_database.read(check_origin(node.checkpoints.witnesses.log.name))
    except LedgerDoubtful as error:
        raise InputError(f"{error}: put back this agency's own") from None


async def _doubt(node: Node) -> str:
    try:
        await node.checkpoints.compare()
    except LedgerDoubtful as error:
        return str(error)
    return node.parts.standing.doubt


async def _old_head(node: Node, answers: list[Answer]) -> Head:
    """The furthest that anybody has seen; of what our key has not signed, only the hub's."""
    latest = await node.ledger_database.read(heads.newest())
    known = [latest.checkpoint] if latest is not None else []
    own_epoch = known[0].head.epoch if known else 1
    for answer in answers:
        checkpoint = answer.seen or (answer.foreign if answer.witness == HUB else None)
        if checkpoint is None:
            continue
        if answer.seen is None and checkpoint.head.epoch > own_epoch + MAX_EPOCHS_AHEAD:
            raise HubError(
                f"the hub shows an epoch that no ledger of this node can have come to: {checkpoint.head.epoch}"
            )
        known.append(checkpoint)
    log = node.checkpoints.witnesses.log.name
    if any(each.origin != log for each in known):
        raise HubError("the hub shows a checkpoint of another ledger")
    if not known:
        raise InputError("no witness has seen this ledger, so there is no old head that a new epoch could name")
    return max((each.head for each in known), key=lambda head: head.place)


def _show(answer: Answer) -> None:
    checkpoint = answer.seen or answer.foreign
    if checkpoint is None:
        typer.echo(f"  {answer.witness}: {answer.silent or 'has seen nothing of it'}")
        return
    signed = "" if answer.seen is not None else ", NOT signed by this node's ledger key: was the key replaced?"
    typer.echo(f"  {answer.witness} holds {checkpoint.head.size} entries, epoch {checkpoint.head.epoch}{signed}")
