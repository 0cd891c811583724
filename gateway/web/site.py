"""What every page is handed: made once by app/web.py, replaced by nothing at run time."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

import aiohttp
import jinja2
from aiohttp import web

from consent_ledger.reader import LedgerReader
from gateway.accounts.alerts import Alerting
from gateway.accounts.keys import WebKey
from gateway.accounts.oidc import Begun, Provider
from gateway.accounts.passwords import Passwords
from gateway.accounts.sessions import SessionLimits
from gateway.database.contract import Database
from gateway.days import HOUR_S, day_of
from gateway.node.checkpoints import Checkpoints
from gateway.node.looks import Looks
from gateway.node.parts import NodeParts
from gateway.policy.agreement import Agreement
from gateway.settings import NodeSettings, WebTable
from gateway.web.assets import Assets
from gateway.web.background import Background
from gateway.web.coverage import Coverage
from gateway.web.drafts import Drafts
from gateway.web.guesses import Guesses
from gateway.web.pending import Pending
from gateway.web.searches import Searches
from gateway.web.turns import Turns
from gateway.web.upload_files import Uploads
from gateway.wire.federation import Member


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another federation of this node: its name, and where its own pages are, if it has any."""

    federation: str
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The pages of one running node in one federation.

    `database` is web.db: it writes the pages' own tables, and reads those of all four files in one visit. Pages read
    nothing through `node.database`: answers would queue behind a slow page. They write the register through it.
    """

    node: NodeParts
    agreements: tuple[Agreement, ...]  # that the settings list
    ledger_database: Database
    checkpoints: Checkpoints
    http: aiohttp.ClientSession  # to other members
    database: Database
    settings: NodeSettings
    web: WebTable
    key: WebKey
    passwords: Passwords
    assets: Assets
    templates: jinja2.Environment
    searches: Searches
    coverage: Coverage
    import_apart: Callable[[NodeSettings, str, int], Awaitable[None]]  # source, confirmed removals; raises BrokenOff
    background: Background
    drafts: Drafts
    looks: Looks
    challenges: Pending[bytes]  # of passkeys
    directory: Provider | None
    journeys: Pending[Begun]  # to the directory and back
    guesses: Guesses
    uploads: Uploads
    elsewhere: tuple[Elsewhere, ...] = ()
    turns: Turns = field(default_factory=Turns)

    @property
    def agency(self) -> str:
        """This agency's name as the federation knows it; its id until the first document has come."""
        me = self.members.get(self.node.me.member)
        return self.node.me.member if me is None else me.name

    @property
    def members(self) -> Mapping[str, Member]:
        """The members that the federation lists, by id, as far as this node has heard."""
        received = self.node.membership.received
        return {} if received is None else received.members

    def other_members(self) -> list[Member]:
        """The agencies besides this one that may ask, by name."""
        others = [each for each in self.members.values() if each.id != self.node.me.member and each.active]
        return sorted(others, key=lambda each: (each.name.casefold(), each.id))

    @property
    def record(self) -> LedgerReader:
        """The ledger as pages read it: through their own reader, so that no answer waits behind one."""
        return LedgerReader(self.database, self.database, self.node.me.federation)

    @property
    def session_limits(self) -> SessionLimits:
        """How long somebody stays signed in."""
        return SessionLimits(idle_s=self.web.idle_minutes * 60.0, absolute_s=self.web.absolute_hours * HOUR_S)

    @property
    def alerting(self) -> Alerting | None:
        """How people are told by email; None where no mail server is configured."""
        if self.web.mail is None:
            return None
        return Alerting(zone=ZoneInfo(self.settings.misuse.time_zone), delay_s=self.web.mail.delay_s)

    def end_session(self, public_id: str) -> None:
        """What is kept in memory for a session goes with it."""
        self.searches.forget(public_id)
        self.drafts.forget(public_id)
        self.background.forget(public_id)

    def end_sessions(self, public_ids: Iterable[str]) -> None:
        """The same for several, as the functions of accounts/sessions.py name those that they ended."""
        for public_id in public_ids:
            self.end_session(public_id)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.node.clock.now()

    def today(self) -> date:
        """The day (UTC) that policies and consents count by."""
        return day_of(self.now())


SITE = web.AppKey("site", Site)
