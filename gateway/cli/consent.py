"""`patchwork consent ...`: record, withdraw or object for one of this agency's own clients."""

from datetime import date
from typing import Annotated

import typer

from consent_ledger.consent import ConsentEntry, ConsentKind, Giver, Provision, Relation
from gateway.cli.options import Config, opened, run
from gateway.errors import InputError
from gateway.node.people import person_by_key
from gateway.settings import NodeSettings, load_node
from mappings.vocabulary import Mode, Purpose

app = typer.Typer(help="What a client allows, withdraws or objects to.", no_args_is_help=True)

Person = Annotated[str, typer.Option(help="The client's number in the source system.")]
SourceName = Annotated[str, typer.Option(help="The source that knows the client by this number.")]
To = Annotated[list[str] | None, typer.Option(help="Only these members or kinds of agency. Repeatable.")]
But = Annotated[list[str] | None, typer.Option(help="All but these members or kinds of agency. Repeatable.")]
About = Annotated[list[str] | None, typer.Option("--service", help="Only this service's code. Repeatable.")]
For = Annotated[list[Purpose] | None, typer.Option("--purpose", help="Only this purpose's code. Repeatable.")]
By = Annotated[Relation, typer.Option(help="Who says so.")]
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
    how: How = "",
) -> None:
    """Record a consent."""
    line = _provision(permit=True, mode=_mode(mode), to=to, but=but, service=service, purpose=purpose)
    entry = ConsentEntry(
        kind=ConsentKind.CONSENT,
        giver=Giver(relation=by),
        provisions=(line,),
        until=_day(until),
        method=how,
        recorded_by=recorded_by,
    )
    run(_append(load_node(config), source, person, entry))


@app.command()
def withdraw(
    config: Config, source: SourceName, person: Person, recorded_by: RecordedBy, by: By = Relation.PERSON, how: How = ""
) -> None:
    """Withdraw every consent; it acts on the very next decision."""
    entry = ConsentEntry(kind=ConsentKind.WITHDRAWAL, giver=Giver(relation=by), method=how, recorded_by=recorded_by)
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
    how: How = "",
) -> None:
    """Record an objection: to everything, or to what the options name."""
    scoped = any((to, but, service, purpose))
    line = _provision(permit=False, mode=Mode.CALLBACK, to=to, but=but, service=service, purpose=purpose)
    entry = ConsentEntry(
        kind=ConsentKind.OBJECTION,
        giver=Giver(relation=by),
        provisions=(line,) if scoped else (),
        method=how,
        recorded_by=recorded_by,
    )
    run(_append(load_node(config), source, person, entry))


async def _append(settings: NodeSettings, source: str, key: str, entry: ConsentEntry) -> None:
    if source not in {each.name for each in settings.source}:
        known = ", ".join(each.name for each in settings.source) or "none is configured"
        raise InputError(f"there is no such source ({known})")
    async with opened(settings) as node:
        person_id = await node.database.read(person_by_key(source, key))
        if person_id is None:
            raise InputError(f"source {source} has no client with this number")
        appended = await node.parts.ledger.record(person_id, entry)
    typer.echo(f"Recorded as entry {appended.seq}. It governs what this agency discloses, from now on.")


def _provision(
    *,
    permit: bool,
    mode: Mode,
    to: list[str] | None,
    but: list[str] | None,
    service: list[str] | None,
    purpose: list[Purpose] | None,
) -> Provision:
    return Provision(
        permit=permit,
        mode=mode,
        purposes=tuple(purpose or ()),
        recipients=tuple(to or ()),
        except_recipients=tuple(but or ()),
        services=tuple(service or ()),
    )


def _mode(text: str) -> Mode:
    try:
        return Mode.from_code(text)
    except ValueError:
        raise InputError("mode is one of duty-contact, practitioner, schedule") from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError("a day is YYYY-MM-DD") from None
