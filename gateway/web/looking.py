"""How a page about a client begins: find the client through the one door, put the look on record, or show nothing.

Every page below /clients/{id} calls `client_of`. Whoever does not work with that person is told what somebody is told
who made the number up.
"""

from dataclasses import dataclass

from aiohttp import web

from gateway.database.contract import Work
from gateway.errors import FederationError
from gateway.node.agreements import AgreementsInForce
from gateway.node.local_view import Client, LocalTeam, View, local_team, view_of
from gateway.node.looks import Looker
from gateway.node.seen_match import own_match
from gateway.web.signed_in import SignedIn
from gateway.web.site import Site
from gateway.wire.query import Subject

CLIENT_PATH = "/clients/{id:[0-9]{1,18}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A client's record that is open in front of somebody, with what they may see around it."""

    client: Client
    team: LocalTeam
    view: View

    @property
    def path(self) -> str:
        """Where the client's pages begin."""
        return f"/clients/{self.client.person_id}"


async def client_of(request: web.Request, site: Site, user: SignedIn) -> Opened:
    """The client whom the address names, with the look on record. Raises HTTPNotFound, StorageError."""
    return await open_client(int(request.match_info["id"]), site, user)


async def open_client(person_id: int, site: Site, user: SignedIn) -> Opened:
    """The same for a page that is not a client's own, and knows by itself whose record it opens."""

    def work() -> Work[tuple[View, LocalTeam]]:
        view = yield from own_view(site, user)
        return view, (yield from local_team(person_id, view))

    view, team = await site.database.read(work())
    if team.client is None:
        raise web.HTTPNotFound
    await site.looks.put_on_record(looker(user), team.client.person_id, view.reason)
    return Opened(client=team.client, team=team, view=view)


async def my_client(site: Site, user: SignedIn, subject: Subject) -> int | None:
    """The id that the pages of one of their own clients have, if a question's subject is surely that client.

    Only their own rows are compared, so it tells nothing of anybody whom they do not work with.
    """

    def work() -> Work[int | None]:
        view = yield from own_view(site, user)
        return (yield from own_match(subject, view, thresholds=site.node.thresholds))

    return await site.database.read(work())


def own_view(site: Site, user: SignedIn) -> Work[View]:
    """What binds this agency towards this person now."""
    return (yield from view_of(user.local, agreements=agreements_now(site), today=site.today()))


def agreements_now(site: Site) -> AgreementsInForce | None:
    """None while the federation's document has expired: then people see their own work alone."""
    try:
        return site.node.membership.current().agreements
    except FederationError:
        return None


def looker(user: SignedIn) -> Looker:
    """Somebody as a client is told who looked."""
    return Looker(account=user.id, name=user.account.name, role=user.account.job_role)
