"""The ledger's own state: how long it is, who has signed for it, whether it holds together, and who else says so.

Recomputing it, and comparing counts with other agencies, takes longer than a request: both run on by themselves, one at
a time, through the pages' own reader (background.py), and the page shows how far they have come.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web

from consent_ledger import heads
from consent_ledger.errors import LedgerError
from consent_ledger.exchange import SECONDS_PER_HOUR
from consent_ledger.heads import Said, Stored, Word
from consent_ledger.read import TreeHead, tree_head
from gateway.accounts.account import Role
from gateway.database.contract import Work
from gateway.errors import HubError, LedgerDoubtful, TooManyRequests, WireError
from gateway.fhir.text import plain
from gateway.links.counts_client import fetch_counts
from gateway.node.compare_counts import Compared
from gateway.node.doubts import compared
from gateway.node.reconcile import Silent, reconcile
from gateway.node.storage_fault import storage_fault
from gateway.node.vouching import Voucher, vouched
from gateway.settings import PLAIN_HTTP_WORDS
from gateway.web.background import Job
from gateway.web.forms import number_in
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.wire.federation import HUB

PATH: Final = "/manage/ledger"
READERS: Final = (Role.GOVERNANCE, Role.AUDITOR, Role.ADMINISTRATOR)
OFFICERS: Final = (Role.GOVERNANCE, Role.ADMINISTRATOR)  # an auditor changes nothing, and starts nothing
VERIFY, COMPARE = "verify", "compare-counts"  # kinds of background work
COMPARED_DAYS: Final = 7

_HOURS_PER_DAY: Final = 24
_NODES: Final = ""  # such work is the node's: it goes on when whoever began it signs out

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is stored of the ledger: its head, the newest checkpoint and when it was signed, each witness's last word,
    and when it went on after a loss.
    """

    head: TreeHead
    newest: Stored | None
    signed_at: int
    words: list[Word]
    restored: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """`wrong`: what does not fit, "" if all does. `not_compared`: why no witness could say whether all is there.

    `checked` checkpoints are borne out; `by` are those who vouch, by name, each for how much and since when.
    """

    size: int
    wrong: str
    not_compared: str
    checked: int
    by: dict[str, Voucher]


@routes.get(PATH)
@page(*READERS)
async def show_ledger(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """All of it, with what runs or ran lately."""
    try:
        state = await site.database.read(_state())
    except LedgerError as error:
        raise storage_fault(error) from error
    return render(
        request,
        "ledger.html",
        state=state,
        age_min=max(0, int(site.now() - state.signed_at) // 60),
        since_signed=state.head.size - (0 if state.newest is None else state.newest.checkpoint.head.size),
        witnesses=[(_name(site, word.witness), word, plain(word.reason)) for word in state.words],
        cosigned=Said.COSIGNED,
        refused=Said.REFUSED,
        doubt=plain(site.node.standing.doubt),
        verifying=site.background.latest(VERIFY),
        comparing=site.background.latest(COMPARE),
        may_start=user.has(*OFFICERS),
        may_search=user.has(Role.GOVERNANCE, Role.AUDITOR),
        days=COMPARED_DAYS,
    )


@routes.post(PATH + "/verify")
@page(*OFFICERS)
async def begin_verifying(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Recompute the whole record, unless somebody is at it."""
    with suppress(TooManyRequests):
        site.background.start(VERIFY, partial(_verify, site), owner=_NODES)
    raise web.HTTPSeeOther(f"{PATH}#verified")


@routes.post(PATH + "/compare")
@page(*OFFICERS)
async def begin_comparing(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Ask every agency for its counts, unless somebody is at it."""
    with suppress(TooManyRequests):
        site.background.start(COMPARE, partial(_compare, site), owner=_NODES)
    raise web.HTTPSeeOther(f"{PATH}#compared")


@routes.get(PATH + "/proof")
@page(*READERS)
async def find_proof(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The proof of the entry whose number was typed."""
    seq = number_in(request.query, "seq")
    if seq is None:
        raise web.HTTPNotFound
    raise web.HTTPSeeOther(f"/manage/audit/{seq}/proof")


def _state() -> Work[State]:
    newest = yield from heads.newest()
    return State(
        head=(yield from tree_head()),
        newest=newest,
        signed_at=0 if newest is None else (yield from heads.signed_at(newest.checkpoint.head)),
        words=(yield from heads.words()),
        restored=(yield from heads.restored_at()),
    )


async def _verify(site: Site, job: Job) -> Verified:
    job.total = (await site.record.head()).size

    def walked(count: int) -> None:
        job.done = count

    checkpoints = site.checkpoints
    wrong, not_compared, checked = await checkpoints.recompute(site.record, walked=walked), "", 0
    by: dict[str, Voucher] = {}
    if not wrong:
        try:
            received = site.node.membership.received
            found = await vouched(site.database, logs=checkpoints.witnesses.logs, federation=received)
            checked, by = found.checked, {_name(site, witness): voucher for witness, voucher in found.by.items()}
            not_compared = await compared(checkpoints)
        except (LedgerError, LedgerDoubtful) as error:
            wrong = str(error)
    return Verified(
        size=job.done,
        wrong=plain(wrong),
        not_compared=plain(not_compared),
        checked=checked,
        by=dict(sorted(by.items())),
    )


async def _compare(site: Site, job: Job) -> list[Compared | Silent]:
    node = site.node
    with suppress(HubError, WireError):  # what is held will do, if it is in force: the hub is under suspicion
        await node.membership.refresh()
    fetch = partial(
        fetch_counts,
        session=site.http,
        me=node.me.member,
        key=node.me.signing_key,
        clock=node.clock,
        plain_http=site.settings.node.plain_http == PLAIN_HTTP_WORDS,
    )
    since = int(site.now()) // SECONDS_PER_HOUR - COMPARED_DAYS * _HOURS_PER_DAY
    found: list[Compared | Silent] = []
    async for each in reconcile(since, node=node, fetch=fetch):
        found.append(each)
        job.done = len(found)
    return found


def _name(site: Site, witness: str) -> str:
    """A witness as people know it; where it has signed, it goes by patchwork/FEDERATION/ID."""
    witness = witness.rpartition("/")[2]
    if witness == HUB:
        return HUB
    member = site.members.get(witness)
    return plain(witness if member is None else member.name)
