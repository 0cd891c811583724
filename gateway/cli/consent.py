"""`patchwork consent ...`: record, withdraw or object for one of this agency's own clients."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Annotated

import typer

from consent_ledger.consent import ConsentEntry, ConsentKind, Giver, Provision, Relation
from gateway.cli.options import Config, opened, run, words
from gateway.errors import InputError
from gateway.node.people import person_by_key
from gateway.settings import NodeSettings, load_node
from mappings.value_sets import unknown_meaning
from mappings.vocabulary import MAX_SCOPE, Mode, OrganisationType, Purpose

app = typer.Typer(help="What a client allows, withdraws or objects to.", no_args_is_help=True)

Person = Annotated[str, typer.Option(help="The client's number in the source system.")]
SourceName = Annotated[str, typer.Option(help="The source that knows the client by this number.")]
To = Annotated[list[str] | None, typer.Option(help="Only these members or kinds of agency. Repeatable.")]
But = Annotated[list[str] | None, typer.Option(help="All but these members or kinds of agency. Repeatable.")]
About = Annotated[list[str] | None, typer.Option("--service", help="Only this service's code. Repeatable.")]
For = Annotated[list[Purpose] | None, typer.Option("--purpose", help="Only this purpose's code. Repeatable.")]
By = Annotated[Relation, typer.Option(help="Who says so.")]
GiverReference = Annotated[
    str, typer.Option(help="Which parent, guardian or attorney: your own number for them, the same each time.")
]
How = Annotated[str, typer.Option(help="How it was said, as in `telephone` or `signed form`.")]
RecordedBy = Annotated[str, typer.Option(help="Who records it.")]


@app.command()
def record(
    config: Config,
    source: SourceName,
    person: Person,
    mode: Annotated[str, typer.Option(help="The most that may be shown: duty-contact, practitioner, schedule.")],
    recorded_by: RecordedBy,
    until: Annotated[str, typer.Option(help="The last day, YYYY-MM-DD.")] = "",
    to: To = None,
    but: But = None,
    service: About = None,
    purpose: For = None,
    by: By = Relation.PERSON,
    giver_reference: GiverReference = "",
    how: How = "",
) -> None:
    """Record a consent."""
    line = _provision(permit=True, mode=_mode(mode), to=to, but=but, service=service, purpose=purpose)
    entry = ConsentEntry(
        kind=ConsentKind.CONSENT,
        giver=_giver(by, giver_reference),
        provisions=(line,),
        until=_day(until),
        method=words(how, "--how"),
        recorded_by=words(recorded_by, "--recorded-by"),
    )
    run(_append(load_node(config), source, person, entry))


@app.command()
def withdraw(
    config: Config,
    source: SourceName,
    person: Person,
    recorded_by: RecordedBy,
    by: By = Relation.PERSON,
    giver_reference: GiverReference = "",
    how: How = "",
) -> None:
    """Withdraw every consent of one giver; it acts on the very next decision."""
    entry = ConsentEntry(
        kind=ConsentKind.WITHDRAWAL,
        giver=_giver(by, giver_reference),
        method=words(how, "--how"),
        recorded_by=words(recorded_by, "--recorded-by"),
    )
    run(_append(load_node(config), source, person, entry))


@app.command("object")
def object_to(
    config: Config,
    source: SourceName,
    person: Person,
    recorded_by: RecordedBy,
    to: To = None,
    but: But = None,
    service: About = None,
    purpose: For = None,
    by: By = Relation.PERSON,
    giver_reference: GiverReference = "",
    how: How = "",
) -> None:
    """Record an objection: to everything, or to what the options name."""
    scoped = any((to, but, service, purpose))
    line = _provision(permit=False, mode=Mode.CALLBACK, to=to, but=but, service=service, purpose=purpose)
    entry = ConsentEntry(
        kind=ConsentKind.OBJECTION,
        giver=_giver(by, giver_reference),
        provisions=(line,) if scoped else (),
        method=words(how, "--how"),
        recorded_by=words(recorded_by, "--recorded-by"),
    )
    run(_append(load_node(config), source, person, entry))


async def _append(settings: NodeSettings, source: str, key: str, entry: ConsentEntry) -> None:
    if source not in {each.name for each in settings.source}:
        known = ", ".join(each.name for each in settings.source) or "none"
        raise InputError(f"no source of that name is configured; this node has: {known}")
    async with opened(settings) as node:
        received = node.parts.membership.received
        _check_recipients(entry, () if received is None else received.members)
        person_id = await node.database.read(person_by_key(source, key))
        if person_id is None:
            raise InputError(f"source {source} has no client with this number")
        appended = await node.parts.ledger.record(person_id, entry)
    typer.echo(f"Recorded as entry {appended.seq}. It governs what this agency discloses, from now on.")
    if entry.kind is ConsentKind.WITHDRAWAL:
        typer.echo("This ends consents. What needs none goes on being shared; to stop it: patchwork consent object")


def _provision(
    *,
    permit: bool,
    mode: Mode,
    to: list[str] | None,
    but: list[str] | None,
    service: list[str] | None,
    purpose: list[Purpose] | None,
) -> Provision:
    if max(map(len, (to or (), but or (), service or (), purpose or ()))) > MAX_SCOPE:
        raise InputError(f"an option is given at most {MAX_SCOPE} times")
    known = [code for code in service or () if not unknown_meaning("service", code)]
    _check_codes(service or (), known, "--service", "one of the MAIS service codes")
    return Provision(
        permit=permit,
        mode=mode,
        purposes=tuple(purpose or ()),
        recipients=tuple(to or ()),
        except_recipients=tuple(but or ()),
        services=tuple(service or ()),
    )


def _check_recipients(entry: ConsentEntry, members: Collection[str]) -> None:
    """A misspelt recipient would be an objection to nobody, and nobody would notice."""
    known = {*OrganisationType, *members}
    expected = f"a member's id or one of {', '.join(OrganisationType)}"
    for line in entry.provisions:
        _check_codes(line.recipients, known, "--to", expected)
        _check_codes(line.except_recipients, known, "--but", expected)


def _check_codes(given: Iterable[str], known: Collection[str], option: str, expected: str) -> None:
    for place, code in enumerate(given, 1):
        if code not in known:
            raise InputError(f"{option}: number {place} is not {expected}")


def _giver(by: Relation, reference: str) -> Giver:
    if by is Relation.PERSON and reference:
        raise InputError("--giver-reference is for a parent, guardian or attorney: say with --by who it is")
    if by is not Relation.PERSON and not reference:
        raise InputError(f"say with --giver-reference which {by} says so: your own number for them, the same each time")
    return Giver(relation=by, reference=words(reference, "--giver-reference"))


def _mode(text: str) -> Mode:
    modes = {mode.code: mode for mode in (Mode.DUTY_CONTACT, Mode.PRACTITIONER, Mode.SCHEDULE)}
    if text not in modes:
        raise InputError(f"mode is one of {', '.join(modes)}")
    return modes[text]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError("a day is YYYY-MM-DD") from None
