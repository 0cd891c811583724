"""`patchwork node status`: what a node holds, with whom it shares, and what waits for somebody at this agency."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import typer

from consent_ledger.read import accepted_agreements
from gateway.app.node import Node
from gateway.cli.ledger_status import ledger_lines
from gateway.cli.options import CLOCK, opened
from gateway.cli.rotate_key import REVOKED, waits_revoked
from gateway.doctor.expiry import findings_of
from gateway.doctor.expiry_watch import node_endings
from gateway.doctor.finding import spell
from gateway.doctor.imports import no_source
from gateway.doctor.running import look_at_running, mark_of
from gateway.errors import FederationError, HubError, WireError
from gateway.node.cases import counted
from gateway.node.corrections import without_effect
from gateway.node.membership import View
from gateway.node.records import Run, count_clients, last_runs
from gateway.policy.agreement import Agreement
from gateway.policy.in_force import publish
from gateway.settings import NodeSettings
from gateway.wire.federation import Federation
from gateway.wire.keys import fingerprint

Say = Callable[[str, str], None]


async def show_status(settings: NodeSettings, say: Say) -> None:
    """Print it, as far as it can be known: without the hub, from what is held. In several federations, one by one.

    `say` prints a line that is about the federation that it is told.
    """
    for at, each in enumerate(settings.apart):
        if at:
            typer.echo()
        await _show(each, partial(say, each.federation[0].id))


async def _show(settings: NodeSettings, say: Callable[[str], None]) -> None:
    async with opened(settings) as node:
        membership = node.parts.membership
        say(f"{settings.node.member} in {settings.federation[0].id}")
        say(f"  key {fingerprint(node.parts.me.signing_key.public_jwk())}")
        if next_ledger := node.parts.me.ledger_keys.waiting:
            say(f"  next ledger key, not signed with yet: {fingerprint(next_ledger.public_jwk())}")
        told = look_at_running(settings.node.data, CLOCK.now())
        if told is not None and told.settings != mark_of(settings):
            say("  the running node goes by the configuration as it was: start it again")
        view: View | None = None
        try:
            view = await membership.refresh()
        except (HubError, WireError, FederationError) as error:
            say(f"No question can be asked now: {error}")
        if waiting := node.parts.me.signing_keys.waiting:  # only now is the newest member list here
            shown = fingerprint(waiting.public_jwk())
            revoked = await waits_revoked(node)
            say(f"Next key {shown}: {REVOKED}" if revoked else f"Next key, which waits for the operator: {shown}")
        if membership.received is not None:
            _echo(say, _membership(membership.received, view, me=settings.node.member))
            if membership.hand_over is not None:
                said = fingerprint(membership.hand_over.new.jwk())
                say(f"  the operator hands over to the key {said}: patchwork node accept-operator")
            accepted = await node.database.read(accepted_agreements(settings.federation[0].id))
            _echo(say, _hubs(node))
            _echo(say, _agreements(membership.received, node.agreements, accepted, me=settings.node.member))
        endings = node_endings(settings, membership.received)
        _echo(say, [f"{finding.what}: {finding.do}" for finding in findings_of(endings, CLOCK.now())])
        _echo(say, await ledger_lines(node))
        _echo(say, await _sources(node, settings))
        _echo(say, await _cases(node, settings))
        _echo(say, _matching(settings))


def _echo(say: Callable[[str], None], lines: Iterator[str] | list[str]) -> None:
    for line in lines:
        say(line)


def _membership(received: Federation, view: View | None, *, me: str) -> Iterator[str]:
    left = received.expires_at - CLOCK.now()
    yield f"Member list {received.seq}, " + (f"good for another {spell(left)}" if left > 0 else "EXPIRED")
    if me not in received.members:
        yield f"  {me} is not a member yet: the operator has to admit it, by the fingerprint of its key"
    waiting = {} if view is None else {change.member: change.kind.value for change in view.waiting}
    for member in received.members.values():
        said = "this node" if member.id == me else "accepted"
        if not member.active:
            said = member.status
        elif member.id in waiting:
            said = f"waits for this agency ({waiting[member.id]}): patchwork node accept {member.id}"
        elif view is None:
            said = "not known now"
        elif member.id not in view.sealing_keys and member.id != me:
            said += ", its node has not been seen yet"
        yield f"  {member.name} ({member.id}): {said}"


def _hubs(node: Node) -> Iterator[str]:
    """Which is used now, of several; one that is not reached has been said above."""
    doubtful = node.parts.membership.doubtful_hubs
    states = node.parts.hubs.states
    for state in states if len(states) > 1 else ():
        said = "questions go there" if state.used else "in reserve"
        if state.silent:
            said = f"not used: {state.silent}"
        yield f"Hub {state.hub}: {said}"
        if state.hub in doubtful:
            yield f"  its word is not used: {doubtful[state.hub]}"


def _agreements(
    received: Federation, listed: tuple[Agreement, ...], accepted: frozenset[str], *, me: str
) -> Iterator[str]:
    carried = {each.agreement.sha256: each for each in publish(received).values()}
    for sha256 in carried.keys() | {agreement.sha256 for agreement in listed}:
        published = carried.get(sha256)
        agreement = published.agreement if published else next(each for each in listed if each.sha256 == sha256)
        yield f"Agreement {agreement.name}, version {agreement.version}"
        if published is None:
            yield "  not in the member list yet: the operator has to carry it"
            continue
        yield f"  signed by {', '.join(sorted(published.signed_by)) or 'nobody'}"
        if me not in published.signed_by:
            yield "  not signed by this agency: patchwork agreement sign"
        is_listed = any(agreement.sha256 == sha256 for agreement in listed)
        if is_listed and sha256 not in accepted:
            yield "  listed here, and accepted from this node's next start or search"
        elif sha256 in accepted and not is_listed:
            yield "  no longer listed here, and accepted until this node's next start or search"
        elif not is_listed:
            yield "  not accepted here: name its file under `agreements` in the configuration"


async def _sources(node: Node, settings: NodeSettings) -> list[str]:
    lines = []
    for source in settings.source:
        runs = await node.database.read(last_runs(source.name, settings.federation[0].id, limit=1))
        said = (
            f"last import {_told(runs[0])}"
            if runs and runs[0].finished_at
            else f"never imported: patchwork import {source.name}"
        )
        lines.append(f"Source {source.name}: {said}")
        suspended = await node.database.read(without_effect(source.name))
        if suspended:
            lines.append(f"  merges by hand without effect: {len(suspended)}; each import names them")
    if lines:
        return lines
    return [f"{no_source(await node.database.read(count_clients(settings.federation[0].id))).capitalize()}."]


async def _cases(node: Node, settings: NodeSettings) -> list[str]:
    days = settings.cases.days
    count, overdue = await node.database.read(counted(settings.federation[0].id, days=days, now=CLOCK.now()))
    return [f"Cases: {count} open, {overdue} overdue: patchwork cases"] if count else []


def _matching(settings: NodeSettings) -> Iterator[str]:
    matching = settings.matching
    sure, known = _per_cent(matching.disclose_at), _per_cent(matching.registered_share)
    birth = "A date of birth, or part of it, is needed" if matching.birth_needed else "A date of birth is not needed"
    yield f"Matching: this node answers about somebody only if it is at least {sure} sure who is meant."
    yield f"  {birth}. Of those who are asked about, {known} are taken to be its clients."
    yield "  So the configuration says (docs/matching.md); a serving node goes by it from its next start."


def _per_cent(share: float) -> str:
    return f"{share * 100:.6g} %"


def _told(run: Run) -> str:
    finished = datetime.fromtimestamp(run.finished_at or run.started_at, UTC)
    return f"{run.outcome} {finished:%Y-%m-%d %H:%M:%S} UTC"
