"""`patchwork consent ...`: record, withdraw or object for one of this agency's own clients."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from consent_ledger.consent import ConsentEntry, ConsentKind, Giver, Provision, Relation
from gateway.app.node import Node
from gateway.cli.left_before import answers_that_left
from gateway.cli.officer import Person, noted
from gateway.cli.options import CLOCK, Config, InFederation, opened, purpose_of, run, words
from gateway.cli.whom import known_person
from gateway.cli.wrapped import say
from gateway.errors import InputError
from gateway.node.consent_form import (
    PERMITTED,
    REFUSED,
    Scope,
    check_last_day,
    check_recipients,
    permitted,
    refused,
)
from gateway.settings import NodeSettings, load_node
from mappings.vocabulary import Mode

app = typer.Typer(help="What a client allows, withdraws or objects to.", no_args_is_help=True)

By = Annotated[str, typer.Option(help="Who records it: your name or number, for the record.")]
To = Annotated[list[str] | None, typer.Option(help="Only these members or kinds of agency. Repeatable.")]
But = Annotated[list[str] | None, typer.Option(help="All but these members or kinds of agency. Repeatable.")]
About = Annotated[list[str] | None, typer.Option("--service", help="Only this service's code. Repeatable.")]
For = Annotated[list[str] | None, typer.Option("--purpose", help="Only this purpose, as in a search. Repeatable.")]
Said = Annotated[Relation, typer.Option("--relation", help="Who says so: the client, or who speaks for them.")]
GiverReference = Annotated[
    str, typer.Option(help="Which parent, guardian or attorney: your own number for them, the same each time.")
]
How = Annotated[str, typer.Option(help="How it was said, as in `telephone` or `signed form`.")]
Until = Annotated[str, typer.Option(help="The last day, YYYY-MM-DD.")]

# What an error of consent_form.py is about, as the option that was given.
_OPTIONS = {"to": "--to", "but": "--but", "services": "--service", "purposes": "--purpose", "until": "--until"}
FromMode = Annotated[
    str,
    typer.Option(
        help="The least that may not be shown: schedule (no dates of visits), practitioner (nobody by name),"
        " duty-contact (no agency), callback (nothing at all, and nobody is told of the question)."
    ),
]


@app.command()
def record(
    config: Config,
    federation: InFederation,
    person: Person,
    mode: Annotated[str, typer.Option(help="The most that may be shown: duty-contact, practitioner, schedule.")],
    by: By = "",
    until: Until = "",
    to: To = None,
    but: But = None,
    service: About = None,
    purpose: For = None,
    relation: Said = Relation.PERSON,
    giver_reference: GiverReference = "",
    how: How = "",
) -> None:
    """Record a consent."""
    most = _mode(mode, PERMITTED)
    entry = ConsentEntry(
        kind=ConsentKind.CONSENT,
        giver=_giver(relation, giver_reference),
        provisions=permitted(most, _scope(to=to, but=but, service=service, purpose=purpose)),
        until=_last_day(until),
        method=words(how, "--how"),
        recorded_by=noted(by, "--by", "Who records it"),
    )
    run(_append(load_node(config), federation, person, entry))


@app.command()
def withdraw(
    config: Config,
    federation: InFederation,
    person: Person,
    by: By = "",
    mode: FromMode = "callback",
    to: To = None,
    but: But = None,
    service: About = None,
    purpose: For = None,
    relation: Said = Relation.PERSON,
    giver_reference: GiverReference = "",
    how: How = "",
) -> None:
    """Withdraw every consent of one giver, or what the options name; it acts on the very next decision."""
    entry = ConsentEntry(
        kind=ConsentKind.WITHDRAWAL,
        giver=_giver(relation, giver_reference),
        provisions=_refusal(mode, to=to, but=but, service=service, purpose=purpose),
        method=words(how, "--how"),
        recorded_by=noted(by, "--by", "Who records it"),
    )
    run(_append(load_node(config), federation, person, entry))


@app.command("object")
def object_to(
    config: Config,
    federation: InFederation,
    person: Person,
    by: By = "",
    mode: FromMode = "callback",
    until: Until = "",
    to: To = None,
    but: But = None,
    service: About = None,
    purpose: For = None,
    relation: Said = Relation.PERSON,
    giver_reference: GiverReference = "",
    how: How = "",
) -> None:
    """Record an objection: to everything, or to what the options name."""
    entry = ConsentEntry(
        kind=ConsentKind.OBJECTION,
        giver=_giver(relation, giver_reference),
        provisions=_refusal(mode, to=to, but=but, service=service, purpose=purpose),
        until=_last_day(until),
        method=words(how, "--how"),
        recorded_by=noted(by, "--by", "Who records it"),
    )
    run(_append(load_node(config), federation, person, entry))


async def _append(settings: NodeSettings, federation: str, record: str, entry: ConsentEntry) -> None:
    chosen = settings.chosen(federation)
    async with opened(chosen) as node:
        with _options_named():
            check_recipients(entry, _members(node))
        person = await known_person(node, record)
        appended = await node.parts.ledger.record(person.row_id, entry)
        said = await node.parts.ledger.about(person.person_ids) if entry.kind is ConsentKind.WITHDRAWAL else []
        others = sorted(_members(node) - {node.parts.me.member})
    say(f"Recorded as entry {appended.seq}. It governs what this agency discloses, from now on.")
    elsewhere = [each.id for each in settings.federation if each.id != chosen.federation[0].id]
    if elsewhere:
        say(
            f"It holds in {chosen.federation[0].id} alone. For {' and '.join(elsewhere)} this agency keeps a register"
            " and a record apart: ask whether it is to hold there too, and record it with --federation"
        )
    if entry.kind is ConsentKind.WITHDRAWAL:
        say("This ends consents. What needs none goes on being shared; to stop it: patchwork consent object")
        for line in answers_that_left((each for each in said if each.seq < appended.seq), others):
            say(line)


def _members(node: Node) -> set[str]:
    received = node.parts.membership.received
    return set() if received is None else set(received.members)


def _refusal(
    mode: str,
    *,
    to: list[str] | None,
    but: list[str] | None,
    service: list[str] | None,
    purpose: list[str] | None,
) -> tuple[Provision, ...]:
    """What is refused or taken back; no provision stands for everything."""
    return refused(_mode(mode, REFUSED), _scope(to=to, but=but, service=service, purpose=purpose))


def _scope(
    *, to: list[str] | None, but: list[str] | None, service: list[str] | None, purpose: list[str] | None
) -> Scope:
    with _options_named():
        return Scope(
            to=tuple(to or ()),
            but=tuple(but or ()),
            services=tuple(service or ()),
            purposes=tuple(dict.fromkeys(map(purpose_of, purpose or ()))),
        )


@contextmanager
def _options_named() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise InputError(f"{_OPTIONS[error.field]}: {error}" if error.field else str(error)) from None


def _giver(relation: Relation, reference: str) -> Giver:
    if relation is Relation.PERSON and reference:
        raise InputError("--giver-reference is for a parent, guardian or attorney: say with --relation who it is")
    if relation is not Relation.PERSON and not reference:
        raise InputError(
            f"say with --giver-reference which {relation} says so: your own number for them, the same each time"
        )
    return Giver(relation=relation, reference=words(reference, "--giver-reference"))


def _mode(text: str, offered: Iterable[Mode]) -> Mode:
    modes = {mode.code: mode for mode in offered}
    if text not in modes:
        raise InputError(f"mode is one of {', '.join(modes)}")
    return modes[text]


def _last_day(text: str) -> date | None:
    """Not one that is over: a mistyped year would put something on record that never holds."""
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError("a day is YYYY-MM-DD") from None
    with _options_named():
        check_last_day(day, datetime.fromtimestamp(CLOCK.now(), UTC).astimezone().date())
    return day
