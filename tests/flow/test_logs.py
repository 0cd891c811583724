"""A whole day's work of a federation, and not a name, number or date of anybody in what it logs."""

import asyncio
import io
import logging
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

from consent_ledger.consent import ConsentEntry, ConsentKind
from consent_ledger.kinds import EntryKind
from gateway.app.node import open_node
from gateway.cli import application
from gateway.clock import SystemClock
from gateway.errors import PatchworkError
from gateway.events import JsonLines
from gateway.settings import load_node
from tests.federation import federation, someone
from tests.flow.clients_record import Run, empty
from tests.flow.commands import patchwork

AGREEMENT = Path(__file__).parents[1] / "agreements" / "everybody.toml"
EXAMPLE = Path(__file__).parents[2] / "config" / "agreements" / "children-and-families.toml"

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"

PERSONAL = (
    *("katherine", "kate", "bramley", "priya", "nandakumar", "zebedee", "quillfeather", "robin", "worker"),
    *("alex asker", "asker-1", "social worker", "1991", "1988", "1953", "05-17", "02-03", "zm4", "7qt"),
    *("9990000018", "999 000 0018", "9990000107", "01632", "robin.worker", "example.org"),
)


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """All log lines of all libraries at their most talkative: once as they are formatted here, once raw."""
    written = io.StringIO()
    ours, raw = logging.StreamHandler(written), logging.StreamHandler(written)
    ours.setFormatter(JsonLines())
    raw.setFormatter(logging.Formatter("%(name)s %(message)s %(event_fields)s", defaults={"event_fields": ""}))
    raw.addFilter(logging.Filter("patchwork"))
    root, events = logging.getLogger(), logging.getLogger("patchwork")
    before = root.level, events.level
    root.setLevel(logging.DEBUG)
    events.setLevel(logging.DEBUG)
    root.addHandler(ours)
    root.addHandler(raw)
    yield written
    root.removeHandler(ours)
    root.removeHandler(raw)
    root.setLevel(before[0])
    events.setLevel(before[1])


async def test_no_name_number_or_date_of_a_person_reaches_a_log(
    tmp_path: Path, everything_logged: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], lying=True) as north:
        assert north.liar is not None
        for member in (AGENCY, OTHER):
            await north.add(member, *someone("Katherine", "Bramley", "1991-05-17", nhs="9990000018"))
        await north.add(AGENCY, *someone("Priya", "Nandakumar", "1988-02-03", key="p2"))
        await north.record(AGENCY, "p2", ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception"))
        # Disclosed, refused, unknown, refused at the keyboard.
        await north.ask(ASKER, "Kate Bramley", born="1991-05-17", postcode="ZM4 7QT", nhs="999 000 0018")
        await north.ask(ASKER, "Priya Nandakumar", born="1988-02-03")
        await north.ask(ASKER, "Zebedee Quillfeather", born="1953-07-29", nhs="999 000 0107")
        for name, details in (("", {}), ("Kate Bramley", {"born": "1991-05-77"}), ("Kate\u0000Bramley", {})):
            with pytest.raises(PatchworkError) as refused:
                await north.ask(ASKER, name, **details)
            assert not _personal(str(refused.value))
        # An answer that is not valid, a question delivered twice, a fault in the middle, a node that is down.
        north.liar.lines = lambda stream: [{**stream[0], "answer": "AAAA"}, *stream[1:]]
        await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        await north.liar.deliver(AGENCY, north.liar.stolen(AGENCY))
        await north.nodes[AGENCY].parts.ledger.close()
        await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        await north.stop(OTHER)
        await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    logged = everything_logged.getvalue()
    for event in ("question.asked", "answer.released", "question.completed", "answer.invalid", "answer.failed"):
        assert event in logged
    assert "request.failed" in logged
    assert not _personal(logged)
    assert not _personal("".join(capfd.readouterr()))


ALL = (*PERSONAL, "quayle", "0000999", "orchard way", "960155", "17/05", "12/11")
# Who asked is what the record and its exports are for.
CLIENTS = tuple(set(ALL) - {"worker", "alex asker", "asker-1", "social worker", "example.org"})
HEADER = (
    "Tenancy Ref;Tenant;DOB;Address;Postcode;Do Not Disclose Address;NHS No;Officer Ref;Housing Officer;Officer Tel;"
    "Officer Mobile;Officer Email;Best Contact;Start Date;End Date;Status;Last Visit;Next Visit;Household With\n"
)


def tenancy(key: str, tenant: str, born: str, number: str, start: str) -> str:
    return f"{key};{tenant};{born};1 Orchard Way;ZM4 7QT;;{number};O1;Worker, Robin;01632 960155;;;;{start};;CUR;;;\n"


TENANCIES = (
    tenancy("T1", "Quayle, Zeb", "12/11/1953", "999 000 0999", "01/02/2024"),
    tenancy("T2", "Bramley, Kate", "17/05/1991", "9990000018", "01/02/2024"),
    tenancy("T3", "Bramley, Kate", "99/99/1991", "9990000107", "Bramley"),  # dates that cannot be
    "T4;Bramley, Kate;17/05/1991\n",  # cut off
)
PAIRS = (
    "person,given,family,birth_date,age,postcode,nhs_number\nregister:p1,Kate,Bramley,1991-05-17,,ZM4 7QT,9990000018\n"
)
RELEASE = ("--by", "W", "--to", "K", "--identity", "seen", "--yes")
TODAY = datetime.now(UTC).date()
THIS_WEEK = TODAY.strftime("%G-W%V")
JTI, CASE = "JTI", "CASE"  # filled in when they are known
BROKEN = ("--break-glass", "risk-to-life", "--reason", "she said so on the telephone")
SAID = ("--person", "tenancies:T2", "--by", "W")
ERASE = ("ledger", "erase", "--person", "register:q1", "--by", "W", "--reason", "r", "--yes")
SOON = (TODAY + timedelta(days=30)).isoformat()
WORK = (
    ("import", "tenancies"),
    ("node", "status"),
    ("node", "rotate-key"),
    ("node", "rotate-ledger-key"),
    ("consent", "record", *SAID, "--mode", "practitioner", "--how", "in person"),
    ("consent", "withdraw", *SAID),
    ("consent", "object", *SAID, "--to", "police-force"),
    ("people", "duplicates"),
    ("people", "merge", "register:q1", "tenancies:T1", "--by", "W", "--reason", "r"),
    ("people", "show", "register:q1"),
    ("ledger", "report", "--person", "register:p1", *RELEASE, "--html", "report.html", "--pdf", "report.pdf"),
    ("ledger", "withhold", "2", "--reason", "refuge", "--until", SOON, "--by", "W", "--yes"),
    ("ledger", "allow", "3", "--by", "W", "--reason", "r", "--yes"),
    ("ledger", "why", "2"),
    ("ledger", "export", "--since", "2020-01-01", "--out", "audit.ndjson"),
    ("ledger", "retain"),
    ("ledger", "misuse", "--week", THIS_WEEK),
    ("ledger", "lost-keys"),
    ("ledger", "evidence", JTI, "--asked-by", ASKER, "--out", "evidence.json"),
    ("ledger", "check-evidence", "evidence.json"),
    ("agreement", "what-if", "draft.toml", "--out", "changes.csv"),
    ("people", "unmerge", "register:q1", "tenancies:T1", "--by", "W", "--reason", "r"),
    ("people", "evaluate", "--pairs", "pairs.csv"),
    ("cases",),
    ("cases", "rebuild"),
    ERASE,
)
# With the hub and another agency there.
TOGETHER = (
    ("search", "Katherine Bramley", "--born", "1991-05-17", "--postcode", "ZM4 7QT", *BROKEN),
    ("node", "status"),
    ("cases",),
    ("cases", "show", CASE),
    ("cases", "acknowledge", CASE, "--by", "W"),
    ("cases", "close", CASE, "--finding", "justified", "--by", "W", "--words", "w"),
    ("ledger", "checkpoint", "--out", "checkpoint.txt"),
    ("ledger", "prove", "1", "--out", "inclusion.json"),
    ("ledger", "reconcile"),
    ("ledger", "restore", "--by", "W", "--yes"),
)
NOT_TOGETHER = (
    ("cases", "show", "Kate Bramley"),
    ("cases", "decide", CASE, "--permit", "--by", "W", "--reason", "r"),
    ("ledger", "prove", "Kate Bramley"),
    ("ledger", "check-proof", "inclusion.json", "--operator-key", "nowhere.jwk"),
    ("search", "Kate Bramley", "--break-glass", "risk-to-life", "--reason", ""),
)
# These show on standard output, and nowhere else, what was typed in a search.
SHOWS = {"search", "cases show"}
# Commands that read nobody's record, and take nothing of a person: agencies, keys, agreements, accounts, counts.
ABOUT_NOBODY = {
    *(
        "version",
        "demo",
        "node init",
        "node add-federation",
        "node serve",
        "node accept",
        "node create-admin",
        "node accounts",
        "node clear-alarm",
        "node backup",
        "node restore",
        "node accept-operator",
    ),
    *("hub init", "hub serve", "federation init", "federation admit", "federation update", "federation suspend"),
    *("federation resume", "federation revoke", "federation renew", "federation agreement", "federation show"),
    *("federation add-hub", "federation remove-hub", "federation invite", "federation joins", "hub joins"),
    *("federation rotate-hub", "federation hand-over", "federation take-over", "hub rotate-key", "hub accept-operator"),
    *("hub backup", "hub restore"),
    *("agreement lint", "agreement explain", "agreement diff", "agreement export", "agreement import"),
    "agreement sign",
}
MISTAKES = (
    ("doctor",),  # nothing serves
    ("ledger", "verify"),  # the hub, which would say how far the ledger had come, is not there
    ("import", "elsewhere"),
    ("search", "Kate Bramley", "--born", "1991-05-77"),
    ("search", "Kate Bramley", "--born", "1991-05-17", "--nhs-number", "9990000019"),
    ("search", "Kate\u0000Bramley", "--postcode", "ZM4 7QT"),
    ("search", "Kate Bramley", "--born", "1991-05-17", "--postcode", "ZM4 7QT"),  # the hub is not there
    ("consent", "object", "--person", "tenancies:Bramley", "--by", "W"),
    ("consent", "object", "--person", "register:9990000018", "--by", "W"),
    ("people", "merge", "register:Bramley", "tenancies:T1", "--by", "W", "--reason", "r"),
    ("ledger", "report", "--person", "tenancies:Bramley", *RELEASE),
    ("ledger", "report", "--person", "Kate Bramley", *RELEASE),
    ("ledger", "why", "Kate Bramley"),
    ("ledger", "export", "--since", "17/05/1991"),
    ("ledger", "erase", "--person", "register:p1", "--by", "W", "--reason", "r", "--yes"),
    ("ledger", "erase", "--person", "tenancies:9990000018", "--by", "W", "--reason", "r", "--yes"),
)


def test_no_command_tells_whom_it_was_about(
    at_trust: Run, trust: Path, everything_logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trust)
    with (trust / "node.toml").open("a") as config:
        config.write('[[source]]\nname = "tenancies"\nmapping = "demo_housing"\noptions = { path = "tenancies.csv" }\n')
    (trust / "tenancies.csv").write_text(HEADER + "".join(TENANCIES))
    (trust / "draft.toml").write_text(AGREEMENT.read_text().replace('version = "1"', 'version = "2"'))
    jti = asyncio.run(_first_answered(trust))
    (trust / "pairs.csv").write_text(PAIRS)
    for words in (*WORK, *MISTAKES):
        if words == ERASE:
            asyncio.run(empty(trust, "q1"))  # only then may she be erased
        said = at_trust(*(jti if word == JTI else word for word in words))
        assert said.failed is (words in MISTAKES), (words, said)
        assert not _personal(said.out, CLIENTS), words
        assert not _personal(said.err, ALL), words
        assert "should not happen" not in said.err, words
    assert (trust / "report.pdf").exists()
    assert not _personal((trust / "audit.ndjson").read_text(), CLIENTS)
    logged = everything_logged.getvalue()
    assert "import.completed" in logged
    assert not _personal(logged, ALL)
    written = [path for path in trust.rglob("*") if path.suffix in {".log", ".txt", ".out"} or "trace" in path.name]
    assert written == []


async def test_no_command_of_a_running_agency_tells_whom_it_was_about(
    tmp_path: Path, everything_logged: io.StringIO
) -> None:
    async with federation(tmp_path, [ASKER, "community-trust"], agreement=EXAMPLE, now=time.time()) as north:
        for member in (ASKER, "community-trust"):
            await north.add(member, *someone("Katherine", "Bramley", "1991-05-17", nhs="9990000018"))
        config = ("-c", str(north.folder / ASKER / "node.toml"))
        case = CASE
        for words in (*TOGETHER, *NOT_TOGETHER):
            north.clock.time = time.time()  # that of the commands' processes: the hub is in this one
            typed = [case if word == CASE else word for word in words]
            ran = await asyncio.to_thread(
                patchwork, tmp_path, *typed, *(() if "check-proof" in words else config), typed="risk-to-life\n"
            )
            assert bool(ran.code) is (words in NOT_TOGETHER), (words, ran.said)
            assert not _personal(ran.err, CLIENTS), words
            assert _name(words) in SHOWS or not _personal(ran.out, CLIENTS), words
            if words == ("cases",):
                (case,) = re.findall(r"│ (our-break-glass-[0-9]+) ", ran.out)
    assert not _personal(everything_logged.getvalue(), CLIENTS)


def test_every_command_is_among_those_whose_words_are_searched() -> None:
    searched = {_name(words) for words in (*WORK, *MISTAKES, *TOGETHER, *NOT_TOGETHER)}
    commands = set(_commands(application()))
    assert commands - searched == ABOUT_NOBODY  # a new command: run it above, or say that it is about nobody
    assert searched <= commands


def _commands(group: typer.Typer, before: str = "") -> Iterator[str]:
    for command in group.registered_commands:
        assert command.callback is not None
        yield before + (command.name or command.callback.__name__.replace("_", "-"))
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        own = inner.typer_instance.registered_callback
        if own is not None and own.invoke_without_command:
            yield f"{before}{inner.name}"
        yield from _commands(inner.typer_instance, f"{before}{inner.name} ")


def _name(words: tuple[str, ...]) -> str:
    return (
        " ".join(words[:2])
        if words[0] in {group.name for group in application().registered_groups} and words[1:]
        else words[0]
    )


async def _first_answered(trust: Path) -> str:
    """The id of the first question that the trust answered."""
    node = await open_node(load_node(trust / "node.toml"), clock=SystemClock())
    try:
        async for entry in node.parts.ledger.entries():
            if entry.body is not None and entry.body["kind"] == EntryKind.ANSWERED:
                return str(entry.body["jti"])
    finally:
        await node.close()
    raise AssertionError("the trust has answered nobody")


def _personal(text: str, words: tuple[str, ...] = PERSONAL) -> list[str]:
    """Those of these words that occur; ids of questions, members and times may hold such digits by chance."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{10}\.\d+|127\.0\.0\.1:\d+|[\w-]{43}", "", text)
    return [
        word
        for word in words
        if re.search(rf"(?<![a-z0-9]){re.escape(word)}" if len(word) < 4 else re.escape(word), text.casefold())
    ]
