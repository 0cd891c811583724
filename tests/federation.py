"""A whole federation in one process: N real nodes and a real hub on loopback, one clock that the test turns.

async with federation(tmp_path, ["childrens-services", "housing"]) as north:
    await north.add("housing", *someone("Katherine", "Bramley", "1991-05-17"))
    completed = await north.ask("childrens-services", "Kate Bramley", born="1991-05-17")
"""

import asyncio
import gzip
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
from aiohttp import web as aiohttp_web

from consent_ledger.consent import ConsentEntry
from gateway.accounts import sessions
from gateway.accounts.account import Account, Role
from gateway.accounts.passwords import Passwords
from gateway.accounts.store import NewAccount, add_account, add_service, add_worker
from gateway.app.dialling import keep_linked
from gateway.app.hub import RunningHub, open_hub
from gateway.app.node import Node, accept_agreements, listen_node, open_node
from gateway.app.node_limits import admission_of
from gateway.app.web import Pages, listen_web
from gateway.clock import Clock
from gateway.database.contract import Work
from gateway.errors import PatchworkError
from gateway.http import Listener
from gateway.hub.keys import HUB_KEY_FILE
from gateway.node.ask import ask
from gateway.node.identity import make_keys
from gateway.node.people import person_by_key, store_rows
from gateway.node.question import BreakGlass, Question, read_subject
from gateway.node.records import begin_run
from gateway.node.results import Asked, Completed, MemberResult
from gateway.node.rows import row_of
from gateway.node.same_person import index_pending
from gateway.policy.agreement import read_agreement
from gateway.policy.in_force import sign_agreement
from gateway.settings import load_hub, load_node
from gateway.web.render import make_templates
from gateway.web.session_cookie import set_session
from gateway.wire.federation import AgreementBytes, Federation, Member, MemberKey, sign_document
from gateway.wire.join import sign_join
from gateway.wire.keys import SigningKey
from gateway.wire.operator import Operator, init_operator
from gateway.wire.query import AskingPractitioner
from mappings.model import (
    Address,
    ContactPoint,
    HumanName,
    Identifier,
    Involvement,
    Mapped,
    Organisation,
    Person,
    Practitioner,
    Service,
)
from mappings.vocabulary import (
    NHS_NUMBER_SYSTEM,
    AuthMethod,
    LawfulBasis,
    Mode,
    OrganisationType,
    Purpose,
    Sector,
)
from tests.lying_hub import LyingHub
from tests.web_user import WebUser

NOW = 1_790_000_000.0  # 2026-09-21
NAME = "northshire"
SOURCE = "register"
PASSWORD_KIB = 64  # what a hash costs is tested in tests/unit/accounts/test_passwords.py; here it would add up
AGREEMENT = Path(__file__).parent / "agreements" / "everybody.toml"

TYPES = {
    "childrens-services": OrganisationType.LOCAL_AUTHORITY,
    "community-trust": OrganisationType.NHS_TRUST,
    "police": OrganisationType.POLICE,
    "housing": OrganisationType.HOUSING,
    "food-bank": OrganisationType.VOLUNTARY,
}
FIVE = tuple(TYPES)


@dataclass(slots=True)
class TurnedClock:
    """A clock that stands still until a test turns it."""

    time: float = NOW

    def now(self) -> float:
        return self.time

    def turn(self, seconds: float) -> None:
        self.time += seconds


@dataclass(slots=True, kw_only=True)
class TestFederation:
    """The running federation; `nodes` and `hub` are the real things."""

    __test__ = False

    name: str
    folder: Path
    clock: TurnedClock
    operator: Operator
    ports: dict[str, int]
    hub: RunningHub
    second_hub: RunningHub | None = None
    liar: LyingHub | None = None
    nodes: dict[str, Node] = field(default_factory=dict)
    listeners: dict[str, Listener] = field(default_factory=dict)
    links: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    pages: dict[str, Pages] = field(default_factory=dict)
    browsers: list[WebUser] = field(default_factory=list)
    built: Path

    async def add(self, member: str, *objects: Mapped) -> None:
        """Store objects at one member, as an import would."""

        def work() -> Work[None]:
            source, _ = yield from begin_run(SOURCE, self.name, "test", self.clock.now())
            yield from store_rows(source, [row_of(item) for item in objects])
            yield from index_pending()

        await self.nodes[member].database.write(work())

    async def record(self, member: str, person: str, entry: ConsentEntry) -> None:
        """Put a consent, withdrawal or objection into a member's ledger."""
        node = self.nodes[member]
        person_id = await node.database.read(person_by_key(SOURCE, person))
        assert person_id is not None
        await node.parts.ledger.record(person_id, entry)

    async def ask(self, member: str, name: str, **details: Any) -> Completed:
        """Ask, and wait for the end; `details` are those of question()."""
        events = [event async for event in self.stream(member, name, **details)]
        assert isinstance(events[-1], Completed)
        return events[-1]

    def stream(self, member: str, name: str, **details: Any) -> AsyncIterator[Asked | MemberResult | Completed]:
        """Ask, and see what happens as it happens."""
        return ask(self.question(member, name, **details), node=self.nodes[member].parts)

    def question(
        self,
        member: str,
        name: str,
        *,
        born: str | None = None,
        postcode: str | None = None,
        nhs: str | None = None,
        purpose: Purpose = Purpose.COORDINATION,
        basis: LawfulBasis = LawfulBasis.PUBLIC_TASK,
        mode: Mode = Mode.SCHEDULE,
        only_certain: bool = False,
        break_glass: BreakGlass | None = None,
        auth: AuthMethod = AuthMethod.MFA,
        deadline_ms: int = 4000,
    ) -> Question:
        return Question(
            subject=read_subject(name, born=born, postcode=postcode, nhs=nhs),
            practitioner=AskingPractitioner(
                id="asker-1", name="Alex Asker", role="Social worker", organisation=member, telecom=()
            ),
            auth_method=auth,
            auth_time=int(self.clock.now()),
            purpose=purpose,
            lawful_basis=basis,
            mode=mode,
            only_certain=only_certain,
            break_glass=break_glass,
            deadline_ms=deadline_ms,
        )

    async def refresh(self, *members: str) -> None:
        """Let members (all without names) fetch the document and sealing keys; twice, so that all have all."""
        for _ in range(2):
            for member in members or tuple(self.nodes):
                await self.nodes[member].parts.membership.refresh()

    async def publish(self, change: Callable[[Operator], Federation] | None = None) -> None:
        """The operator changes the federation (without a change: renews the document), and the hub takes it up."""
        document = self.operator.renew(self.clock.now()) if change is None else change(self.operator)
        self.operator = replace(self.operator, document=document)
        await self.hub.hub.directory.refresh()
        if self.second_hub is not None:
            await self.second_hub.hub.directory.refresh()

    def twin(self) -> Federation:
        """Another document with the newest one's number, signed by the operator as well."""
        held = self.operator.document
        return sign_document(
            operator=held.operator,
            name=held.name,
            seq=held.seq,
            members=tuple(held.members.values()),
            agreements=(),
            hub_keys=tuple(held.hub_keys.values()),
            key=self.operator.key,
            now=self.clock.now(),
        )

    async def restart_hub(self, *, forgetting: bool = False) -> None:
        """The hub goes down and comes up on its old port; `forgetting`: with an empty database."""
        await self.hub.close()
        if forgetting:
            for file in (self.folder / "hub" / "data").iterdir():
                file.unlink()
        self.hub = await open_hub(load_hub(self.folder / "hub" / "hub.toml"), clock=self.clock)

    async def sign_in(
        self,
        member: str,
        *roles: Role,
        login: str = "",
        name: str = "Wendy Smith",
        job_role: str = "Housing officer",
        workers: Collection[str] = (),
        services: Collection[str] = (),
        method: AuthMethod = AuthMethod.MFA,
        language: str = "en",
    ) -> WebUser:
        """A browser in which somebody with these roles is signed in; the account is made, without a password.

        `workers`, `services`: keys of the practitioners and services in this member's register that they are.
        """
        site = self.pages[member].site
        new = NewAccount(
            federation=self.name,
            login=login or f"user-{len(self.browsers)}",
            name=name,
            job_role=job_role,
            roles=frozenset(roles),
            granted_by="test",
        )
        token = sessions.new_token()

        def work() -> Work[Account]:
            account = yield from add_account(new, self.clock.now())
            for key in workers:
                yield from add_worker(account.id, SOURCE, key)
            for key in services:
                yield from add_service(account.id, SOURCE, key)
            yield from sessions.begin(token, account.id, method=method, now=self.clock.now())
            return account

        browser = self.browser(member, language=language)
        browser.account = await site.database.write(work())
        response = aiohttp_web.Response()
        set_session(response, token, secure=False)
        browser.cookies.update_cookies(response.cookies, browser.url)
        return browser

    def browser(self, member: str, *, language: str = "en") -> WebUser:
        """A browser at a member's pages, in which nobody is signed in yet."""
        user = WebUser(self.pages[member].site.web.url, language=language)
        self.browsers.append(user)
        return user

    async def stop(self, member: str) -> None:
        """One member's node goes down."""
        if member in self.pages:
            await self.pages.pop(member).close()
        if member in self.links:
            link = self.links.pop(member)
            link.cancel()
            await asyncio.wait([link])
        if member in self.listeners:
            await self.listeners.pop(member).close()
        await self.nodes.pop(member).close()

    async def linked(self, member: str) -> None:
        """Wait until the hub holds a link of this member."""
        async with asyncio.timeout(5):
            while not self.hub.links.holds(member):  # noqa: ASYNC110 - the product has no event for a test
                await asyncio.sleep(0.01)

    async def start(self, member: str, *, clock: Clock | None = None) -> None:
        """A member's node comes up, on its old port and with what it kept, perhaps with a clock of its own."""
        node = await self.open(member, clock=clock)
        self.nodes[member] = node
        if node.settings.node.link == "dial":
            await accept_agreements(node)
            with suppress(PatchworkError):
                await node.parts.membership.refresh()  # it dials a hub whose word it has alone
            self.links[member] = asyncio.create_task(keep_linked(node, admission_of(node.settings)))
            await self.linked(member)
        else:
            self.listeners[member] = await listen_node(node)
        with (
            patch("gateway.app.web.Passwords", partial(Passwords, memory_kib=PASSWORD_KIB)),
            patch("gateway.app.web.make_templates", _templates),
        ):
            pages = await listen_web(node, built=self.built)
        if pages is not None:
            self.pages[member] = pages

    async def open(self, member: str, *, clock: Clock | None = None) -> Node:
        """One more opening of a member's configuration and data, as another process of its node would make."""
        return await open_node(load_node(self.folder / member / "node.toml"), clock=clock or self.clock)

    async def ledger(self, member: str) -> list[Mapping[str, Any]]:
        """What a member has on record about questions asked of it, opened, oldest first."""
        entries = [entry async for entry in self.nodes[member].parts.ledger.entries()]
        kinds = ("answered", "break-glass")
        return [entry.body for entry in entries if entry.body is not None and entry.body["kind"] in kinds]


def result_of(completed: Completed, member: str) -> MemberResult:
    """One member's part of a finished question."""
    return next(result for result in completed.results if result.member.id == member)


def someone(
    given: str,
    family: str,
    born: str,
    *,
    key: str = "p1",
    postcode: str = "ZM4 7QT",
    nhs: str | None = None,
    role: str = "Support worker",
    worker: str = "Robin Worker",
    service: str = "other-professional-support",
    **involvement: object,
) -> tuple[Mapped, ...]:
    """One client with one worker, as a mapping would yield them."""
    return (
        Organisation(key="org", name="The Agency", duty_contact=(ContactPoint(system="phone", value="01632 960100"),)),
        Service(key=f"svc-{service}", name=f"Team {service}", code=service, organisation_key="org"),
        Practitioner(
            key=f"w-{key}",
            name=HumanName(given=tuple(worker.split()[:-1]), family=worker.rsplit(maxsplit=1)[-1]),
            role=role,
            contact_points=(
                ContactPoint(system="phone", value="01632 960123", rank=1),
                ContactPoint(system="email", value="robin.worker@example.org", rank=2),
            ),
            organisation_key="org",
        ),
        Person(
            key=key,
            names=(HumanName(given=(given,), family=family),),
            birth_date=born,
            addresses=(Address(postcode=postcode),) if postcode else (),
            identifiers=(Identifier(system=NHS_NUMBER_SYSTEM, value=nhs),) if nhs else (),
        ),
        Involvement(
            key=f"i-{key}",
            person_key=key,
            practitioner_key=f"w-{key}",
            service_key=f"svc-{service}",
            role=role,
            start="2026-01-05",
            **involvement,  # type: ignore[arg-type]  # fields by name
        ),
    )


@asynccontextmanager
async def federation(
    folder: Path,
    members: Sequence[str] = FIVE,
    *,
    accept: str = "operator",
    delay_ms: int = 20,
    agreement: Path = AGREEMENT,
    not_signing: Collection[str] = (),
    not_accepting: Collection[str] = (),
    lying: bool = False,
    options: str = "",
    admission: str = "fixed",
    now: float = NOW,
    web: bool = False,
    web_options: str = "",
    web_host: str = "127.0.0.1",
    dialling: Collection[str] = (),
    built: Path | None = None,
    second_hub: bool = False,
    name: str = NAME,
) -> AsyncIterator[TestFederation]:
    """Start hub and nodes; everything is stopped at the end. Nodes know each other's sealing keys when this returns.

    `not_signing`, `not_accepting`: members that do not sign the agreement, or not accept it for themselves. `lying`:
    nodes speak to a LyingHub, honest until a test changes it. `options`: more lines for the nodes' `[node]`.
    `admission`: fixed, because with a delay of 20 ms a busy machine would admit one question at a time. `now`: the
    clock's first time, which must be the machine's own if other processes take part. `web`: nodes have pages too;
    `web_options`: more lines for `[web]`; `web_host`: what browsers call them; `built`: their styles and scripts, by
    default empty ones. `name`: the federation's.
    `second_hub`: one more, `hub-2`, which nodes turn to if the first does not take a question.
    `dialling`: members whose nodes open the link to each hub and have no port.
    """
    clock = TurnedClock(now)
    names = ("hub", "hub-2", "liar", *members)
    free = list(_free_ports(len(names) + len(members)))  # all at once, so that no port is given twice
    ports = dict(zip(names, free[: len(names)], strict=True))
    web_ports = dict(zip(members, free[len(names) :], strict=True))
    hub_key = _write_hub(folder / "hub", ports["hub"])
    operator = init_operator(folder / "operator", name=name, hub_key=hub_key.verify_key(), now=clock.now())
    hubs = [ports["liar" if lying else "hub"]]
    if second_hub:
        second_key = _write_hub(folder / "hub-2", ports["hub-2"])
        operator = replace(operator, document=operator.add_hub(second_key.verify_key(), clock.now()))
        hubs.append(ports["hub-2"])
    text = agreement.read_bytes()  # noqa: ASYNC240 - a test may wait for its own small file
    signatures = []
    for member in members:
        accepted = "" if member in not_accepting else f'agreements = ["{agreement}"]\n'
        key = _write_node(
            folder,
            member,
            door='link = "dial"' if member in dialling else f'listen = "127.0.0.1:{ports[member]}"',
            hubs=hubs,
            table=f'answer_delay_ms = {delay_ms}\nadmission = "{admission}"\n{options}\n',
            federation=f'accept_members = "{accept}"\n{accepted}',
            pages=_pages(web_host, web_ports[member], web_options) if web else "",
            now=now,
            name=name,
        )
        endpoint = None if member in dialling else f"http://127.0.0.1:{ports[member]}"
        token = _join(folder / member, member, key, endpoint, clock.now(), name)
        operator = replace(operator, document=operator.admit(token, clock.now()))
        if member in not_signing:
            continue
        signatures.append(
            sign_agreement(
                read_agreement(text, str(agreement)), member=member, federation=name, key=key, now=clock.now()
            )
        )
    carried = AgreementBytes(text=text, signatures=tuple(signatures))
    operator = replace(operator, document=operator.set_agreement(carried, clock.now()))
    async with AsyncExitStack() as stack:
        hub = await open_hub(load_hub(folder / "hub" / "hub.toml"), clock=clock)
        liar = None
        if lying:
            liar = LyingHub(key=hub_key, clock=clock, real=f"http://127.0.0.1:{ports['hub']}", ports=ports)
            await stack.enter_async_context(liar.listening(ports["liar"]))
        running = TestFederation(
            name=name,
            folder=folder,
            clock=clock,
            operator=operator,
            ports=ports,
            hub=hub,
            second_hub=await open_hub(load_hub(folder / "hub-2" / "hub.toml"), clock=clock) if second_hub else None,
            liar=liar,
            built=built or empty_assets(folder / "built"),
        )
        for member in members:
            await running.start(member)
        try:
            await running.refresh()
            yield running
        finally:
            for browser in running.browsers:
                await browser.close()
            for member in tuple(running.nodes):
                await running.stop(member)
            for each in (running.hub, running.second_hub):
                if each is not None:
                    await each.close()


_templates = cache(make_templates)  # compiled for all nodes together: that is two thirds of a page's first view


def _free_ports(count: int) -> Iterable[int]:
    """Of this process's own: one that the kernel gives out may be some connection's by the time that it is used."""
    free = (port for port in _ports() if _is_free(port))
    return [next(free) for _ in range(count)]


@cache
def _ports() -> Iterator[int]:
    number = int(os.environ.get("PYTEST_XDIST_WORKER", f"gw{os.getpid()}").removeprefix("gw"))
    own = range(10_000 + number % 10 * 1_000, 11_000 + number % 10 * 1_000)
    return islice(cycle(own), os.getpid() % len(own), None)


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _write_hub(folder: Path, port: int) -> SigningKey:
    (folder / "keys").mkdir(parents=True, mode=0o700)
    key = SigningKey.generate()
    key.save(folder / "keys" / HUB_KEY_FILE)
    (folder / "hub.toml").write_text(
        f'[hub]\nid = "hub"\nlisten = "127.0.0.1:{port}"\nrate_per_minute = 100000\n'
        'federation_document = "../operator/federation.jws"\noperator_key = "../operator/operator.jwk"\n'
    )
    return key


def _write_node(
    folder: Path,
    member: str,
    *,
    door: str,
    hubs: Sequence[int],
    table: str,
    federation: str,
    pages: str,
    now: float,
    name: str,
) -> SigningKey:
    home = folder / member
    home.mkdir(mode=0o700)
    signing_key, ledger_key = make_keys(home / "keys", now)
    (home / "ledger.jwk").write_bytes(orjson.dumps(ledger_key.public_jwk()))
    (home / "node.toml").write_text(
        f'[node]\nmember = "{member}"\n{door}\n{table}'
        f'[[federation]]\nid = "{name}"\noperator_key = "../operator/operator.jwk"\n'
        f"hubs = {json.dumps([f'http://127.0.0.1:{hub}' for hub in hubs])}\n{federation}"
        '[[practitioner]]\nid = "asker-1"\nname = "Alex Asker"\nrole = "Social worker"\n'
        f"{pages}"
    )
    return signing_key


def _pages(host: str, port: int, options: str) -> str:
    return f'[web]\nlisten = "127.0.0.1:{port}"\nurl = "http://{host}:{port}"\n{options}\n'


def empty_assets(folder: Path) -> Path:
    """A folder as .ci/build_assets.py leaves it, with nothing in the files: most tests look at no style."""
    folder.mkdir(exist_ok=True)
    names = {"patchwork.css": "patchwork.0.css", "patchwork.js": "patchwork.0.js"}
    names |= {"htmx.js": "htmx.0.js", "icon.svg": "icon.0.svg"}
    for name in names.values():
        (folder / name).write_bytes(b"")
        (folder / f"{name}.gz").write_bytes(gzip.compress(b"", mtime=0))
    (folder / "manifest.json").write_bytes(orjson.dumps(names))
    return folder


def _join(home: Path, member: str, key: SigningKey, endpoint: str | None, now: float, federation: str) -> str:
    kind = TYPES.get(member, OrganisationType.HOUSING)
    asked = Member(
        id=member,
        identifier=(("https://example.org/id/agency", member),),
        name=member.replace("-", " ").title(),
        type=kind,
        sector=Sector.VOLUNTARY if kind is OrganisationType.VOLUNTARY else Sector.STATUTORY,
        status="active",
        keys=(MemberKey(key=key.verify_key(), not_before=int(now) - 3600, not_after=int(now) + 365 * 86_400),),
        ledger_key=orjson.loads((home / "ledger.jwk").read_bytes()),
        endpoint=endpoint,
        duty_contact=(("phone", "01632 960000"),),
    )
    return sign_join(asked, key, federation=federation, now=now)
