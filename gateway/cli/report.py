"""`patchwork ledger report`: "who looked at my record?", for the client, released by an officer.

(1) see what stands against the record, read what is on record under all of the person's ids, and make the document in
    every form asked for
(2) tell the officer, and nobody else, what it leaves out
(3) have the officer say who receives it, and after which checks of identity and authority
(4) put the release on record
(5) write
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from consent_ledger.consent import Relation
from consent_ledger.governance import ReleaseEntry
from consent_ledger.read import Entry
from consent_ledger.report import HeldBack
from gateway.accounts.store import names_by_public_id
from gateway.app.node import Node
from gateway.app.web_database import open_web_database
from gateway.cli.doubts import told_doubts
from gateway.cli.officer import By, Person, noted
from gateway.cli.options import CLOCK, Config, InFederation, Yes, ask_first, node_of, opened, run
from gateway.cli.times import utc
from gateway.cli.whom import former_names, known_person, source_and_key
from gateway.days import DAY_S
from gateway.errors import InputError
from gateway.fhir.text import plain
from gateway.files import replace_file
from gateway.node.doubts import Doubts
from gateway.node.known_as import KnownAs
from gateway.reports.access import Setting
from gateway.reports.as_html import as_html
from gateway.reports.as_pdf import as_pdf
from gateway.reports.as_text import as_text
from gateway.reports.document import Document
from gateway.reports.release import prepare_report, recorders, setting_of
from gateway.settings import NodeSettings


class Names(StrEnum):
    """How people who asked appear."""

    ALL = "all"
    ROLES = "roles"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Receiver:
    """Who releases the report to whom, as far as the options say."""

    by: str
    to: str
    relation: Relation
    identity: str
    authority: str

    def entry(self, forms: tuple[str, ...]) -> ReleaseEntry:
        """What goes on record; asks for what is missing."""
        for_client = self.relation is Relation.PERSON
        may_act = f"What shows that this {self.relation} may act for the client"
        return ReleaseEntry(
            by=noted(self.by, "--by", "Who releases it"),
            to=noted(self.to, "--to", "Who receives it"),
            relation=self.relation.value,
            identity=noted(self.identity, "--identity", "How did you make sure who they are"),
            authority="" if for_client else noted(self.authority, "--authority", may_act),
            forms=forms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Forms:
    """What is made of the report: files, and text on standard output if there is none."""

    html: Path | None
    pdf: Path | None

    @property
    def names(self) -> tuple[str, ...]:
        chosen = (("html", self.html), ("pdf", self.pdf))
        return tuple(name for name, path in chosen if path is not None) or ("text",)

    def rendered(self, document: Document) -> dict[Path, bytes]:
        """Each file's bytes, all made before anything is on record."""
        files: dict[Path, bytes] = {}
        if self.html is not None:
            files[self.html] = as_html(document)
        if self.pdf is not None:
            files[self.pdf] = as_pdf(document)
        return files


def report(
    config: Config,
    federation: InFederation,
    person: Person,
    by: By = "",
    to: Annotated[str, typer.Option(help="Who receives the report.")] = "",
    relation: Annotated[Relation, typer.Option(help="Who that is to the client.")] = Relation.PERSON,
    identity: Annotated[str, typer.Option(help="How you made sure who they are, as in `passport seen`.")] = "",
    authority: Annotated[
        str, typer.Option(help="What shows that they may act for the client; not needed for the client.")
    ] = "",
    names: Annotated[Names, typer.Option(help="Whether people who asked appear by name, or by role only.")] = Names.ALL,
    html: Annotated[Path | None, typer.Option(help="Write a web page to this file instead.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write an accessible PDF to this file instead.")] = None,
    yes: Yes = False,
) -> None:
    """Tell a client who asked about them, and release it: on record before it is written."""
    if authority and relation is Relation.PERSON:
        raise InputError("--authority is for a parent, guardian or attorney: say with --relation who it is")
    receiver = _Receiver(by=by, to=to, relation=relation, identity=identity, authority=authority)
    forms = _Forms(html=html, pdf=pdf)
    run(_report(node_of(config, federation), person, receiver, forms, by_role=names is Names.ROLES, yes=yes))


async def _report(
    settings: NodeSettings, record: str, receiver: _Receiver, forms: _Forms, *, by_role: bool, yes: bool
) -> None:
    async with opened(settings) as node:
        person = await known_person(node, record)
        doubts = await told_doubts(node)  # (1)
        entries = await node.parts.ledger.about(person.person_ids)
        accounts = await _account_names(node, entries)
        setting = _setting(node, record, doubts, accounts, by_role=by_role)
        made = prepare_report(entries, setting, hold_days=settings.access_report.hold_days)
        files = forms.rendered(made.document)
        _tell_held_back(made.held, entries, settings.access_report.hold_days)  # (2)
        if not entries:
            await _tell_erasures(node)
        for name in await former_names(node, entries, person):
            typer.echo(f"{name} was once one person with this record: look at its report, too.", err=True)
        entry = receiver.entry(forms.names)  # (3)
        ask_first("Release this report?", yes=yes)
        await _release(node, person, entry)  # (4)
    for path, data in files.items():  # (5)
        replace_file(path, data)
        typer.echo(f"Written: {path}", err=True)
    if not files:
        typer.echo(as_text(made.document), nl=False)


async def _release(node: Node, person: KnownAs, entry: ReleaseEntry) -> None:
    appended = await node.parts.ledger.note(entry, person.person_id)
    typer.echo(f"The release is on record as entry {appended.seq}.", err=True)


async def _account_names(node: Node, entries: list[Entry]) -> Mapping[str, str]:
    """Of who recorded something on a page; a node without pages has no accounts."""
    if node.settings.web is None:
        return {}
    database = await open_web_database(node)
    try:
        return await database.read(names_by_public_id(recorders(entries)))
    finally:
        await database.close()


def _setting(node: Node, record: str, doubts: Doubts, accounts: Mapping[str, str], *, by_role: bool) -> Setting:
    source, key = source_and_key(node, record)
    return setting_of(
        member=node.parts.me.member,
        received=node.parts.membership.received,
        agreements=node.agreements,
        about=f"the person with the number {plain(key)} in our system {source}",
        now=CLOCK.now(),
        by_role=by_role,
        in_doubt=bool(doubts.wrong),
        restored=doubts.restored,
        accounts=accounts,
    )


def _tell_held_back(held: HeldBack, entries: list[Entry], hold_days: int) -> None:
    if held.withheld:
        typer.echo(f"Withheld, as decided: {_entries(held.withheld)}", err=True)
    for entry in entries:
        if entry.seq in held.undecided and entry.body is not None:
            ends = utc(entry.body["at"] + hold_days * DAY_S)
            typer.echo(
                f"Held back until you decide (patchwork ledger allow, withhold), else until {ends}: entry {entry.seq}",
                err=True,
            )


async def _tell_erasures(node: Node) -> None:
    """The officer may know from the agency's own files whether one of them was this client's."""
    typer.echo("Nothing can be read of this client: nothing was ever recorded, or it has been erased.", err=True)
    erasures = await node.parts.ledger.erasures()
    days = (f"{utc(entry.body['at'])} (entry {entry.seq})" for entry in erasures if entry.body is not None)
    if erasures:
        typer.echo(f"Erasures on record, of whom it does not tell: {', '.join(days)}", err=True)


def _entries(seqs: tuple[int, ...]) -> str:
    return f"{'entry' if len(seqs) == 1 else 'entries'} {', '.join(map(str, seqs))}"
