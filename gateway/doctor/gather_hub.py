"""Examines a hub from outside, whether it runs or not: (1) gather facts, (2) check them."""

from dataclasses import dataclass

from gateway.clock import Clock
from gateway.database.contract import Statement, Work
from gateway.days import DAY_S
from gateway.doctor.doors import check_door
from gateway.doctor.expiry import findings_of
from gateway.doctor.expiry_watch import hub_endings
from gateway.doctor.finding import Finding, moment, soon, spell, well, wrong
from gateway.doctor.keys import DO_WITH_UNUSABLE
from gateway.doctor.looking import look_at_database, look_at_disk, look_at_door, look_at_tls, read_only
from gateway.doctor.member_clocks import MemberClock, check_member_clocks
from gateway.doctor.storage import check_databases, check_disk
from gateway.errors import PatchworkError, StorageError
from gateway.files import read_file
from gateway.hub.clocks import clocks_seen
from gateway.hub.keys import HubKeys
from gateway.hub.replay import RESTORED_WAIT_S, waits_until
from gateway.settings import HubSettings
from gateway.wire.federation import Federation, verify_document
from gateway.wire.limits import MAX_DOCUMENT_BYTES, SKEW_S
from gateway.wire.operator import (
    load_operator_keys,
)

CHECK = "federation"
FORGOTTEN_S = 14 * DAY_S  # a next key that the operator has not listed by then
TAKEN_WITHIN_S = 30.0  # a hub that serves takes a new file within seconds
SERVE = "patchwork hub serve"
_NOT_TAKEN = f"if the hub serves, `federation.refused` in its log says why; else `{SERVE}`"
_COPY = "the operator copies the newest operator/federation.jws here (docs/running-a-hub.md)"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubDocumentFacts:
    """`file`: what lies where the configuration says, if the operator signed it, else `problem` says why not.

    `held` is what the hub has taken, `kids` are of its own keys. Documents may be over; times are epoch seconds.
    `file_since`: when the file was put there.
    """

    now: float
    kids: frozenset[str]
    file: Federation | None = None
    file_since: float = 0.0
    problem: str = ""
    held: Federation | None = None

    @property
    def newest(self) -> Federation | None:
        """The document that counts."""
        return max((each for each in (self.file, self.held) if each), key=lambda each: each.seq, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubKeyFacts:
    """`kids`: of the private keys that are here; `waiting`: of a next one, and since when it waits (epoch seconds).

    `unusable`: what is wrong with files that lie there as next keys.
    """

    kids: frozenset[str] = frozenset()
    waiting: str = ""
    waiting_since: float = 0.0
    unusable: tuple[str, ...] = ()
    problem: str = ""


async def examine_hub(settings: HubSettings, clock: Clock) -> list[Finding]:
    """All checks of a hub; raises nothing that a broken hub could cause."""
    table, now = settings.hub, clock.now()
    found = [
        wrong("configuration", problem, "mend the configuration, or put the file where it says")
        for problem in look_at_tls(table.tls)[1]
    ]
    keys = _look_at_keys(settings)
    facts = _look_at_document(settings, keys.kids, now)
    database = look_at_database(table.data / "hub.db", "hub")
    found += [
        *check_hub_keys(keys, facts.newest, now),
        *check_hub_document(facts),
        *check_member_clocks(_member_clocks(settings), now),
        *check_restored(_waits_until(settings), now),
        *check_databases([database]),
        *check_disk(look_at_disk(table.data)),
    ]
    # The document's end stands with check_hub_document() already, once it is over.
    endings = hub_endings(settings, facts.newest)
    found += findings_of((each for each in endings if each.kind != "document" or each.at > now), now)
    door = await look_at_door(table.listen, tls=table.tls is not None)
    return found + check_door(door, who="hub", start=SERVE)


def check_hub_document(facts: HubDocumentFacts) -> list[Finding]:
    """Whether this hub has a document to serve that nodes will take."""
    if facts.file is None and facts.held is None:
        return [wrong(CHECK, f"no federation document: nobody asks or answers ({facts.problem})", _COPY)]
    document = facts.newest
    assert document is not None  # noqa: S101 - one of the two
    found = []
    if facts.problem:
        found.append(wrong(CHECK, f"the file is not taken, document {document.seq} serves on: {facts.problem}", _COPY))
    if facts.file is not None and facts.held is not None and facts.file.seq < facts.held.seq:
        what = (
            f"the file holds document {facts.file.seq}, and this hub has served {facts.held.seq}: the file is not taken"
        )
        found.append(wrong(CHECK, what, _COPY))
    if facts.file is not None and facts.held is not None and facts.file.seq > facts.held.seq:
        what = f"this hub serves document {facts.held.seq}, and the file holds {facts.file.seq}, which it has not taken"
        if abs(facts.now - facts.file_since) > TAKEN_WITHIN_S:
            found.append(wrong(CHECK, what, _NOT_TAKEN))
    if document.expires_at <= facts.now:
        ago = f"{spell(facts.now - document.expires_at)} ago, at {moment(document.expires_at)}"
        what = f"federation document {document.seq} expired {ago}: this hub serves nothing, and no node asks or answers"
        found.append(wrong(CHECK, what, f"the operator runs `patchwork federation renew`; {_COPY}"))
    if document.issued_at > facts.now + SKEW_S:
        what = f"document {document.seq} is from {moment(document.issued_at)}, which is not yet by this clock"
        found.append(wrong("clock", what, "let this machine and the operator's set their clocks by NTP"))
    if facts.kids and facts.kids.isdisjoint(document.hub_keys):
        what = f"document {document.seq} does not name this hub's key: no node believes this hub"
        found.append(wrong(CHECK, what, "put the right keys/hub.pem back, or ask the operator"))
    if not document.members:
        found.append(soon(CHECK, f"document {document.seq} has no members yet", "`patchwork federation admit`"))
    left = spell(document.expires_at - facts.now)
    return found or [well(CHECK, f"document {document.seq} is in force for another {left}")]


def check_hub_keys(facts: HubKeyFacts, document: Federation | None, now: float) -> list[Finding]:
    """Whether the hub's keys can be used, and whether a next one has been forgotten on its way to the operator."""
    if facts.problem:
        return [wrong("keys", facts.problem, "put the file back from the backup of keys/, or set its mode to 0600")]
    if facts.unusable:
        return [soon("keys", problem, DO_WITH_UNUSABLE) for problem in facts.unusable]
    listed = document is not None and facts.waiting in document.hub_keys
    if facts.waiting and not listed and now - facts.waiting_since > FORGOTTEN_S:
        what = f"the next key {facts.waiting} was made {spell(now - facts.waiting_since)} ago and is not listed yet"
        return [soon("keys", what, "`patchwork hub rotate-key` again, and send its statement to the operator")]
    return [well("keys", "the hub's key can be used")]


def check_restored(waits_until: float, now: float) -> list[Finding]:
    """Whether this hub was put back just now; `waits_until` in epoch seconds."""
    left = min(waits_until - now, RESTORED_WAIT_S)
    if left <= 0:
        return []
    what = f"this hub was put back from a backup and takes no questions for {spell(left)}"
    return [soon("restored", what, "wait: then nothing that it saw after the backup can be played again")]


def _look_at_keys(settings: HubSettings) -> HubKeyFacts:
    folder = settings.hub.keys
    try:
        keys = HubKeys(folder)
        waiting = "" if keys.waiting is None else keys.waiting.kid
        since = (folder / f"hub-{waiting}.pem").stat().st_mtime if waiting else 0.0
    except (PatchworkError, OSError) as error:
        return HubKeyFacts(problem=str(error))
    return HubKeyFacts(kids=keys.kids, waiting=waiting, waiting_since=since, unusable=keys.unusable)


def _waits_until(settings: HubSettings) -> float:
    try:
        return read_only(settings.hub.data / "hub.db", waits_until())
    except StorageError:
        return 0.0


def _member_clocks(settings: HubSettings) -> dict[str, MemberClock]:
    """What the serving hub has noted; nothing, if its database cannot be read: check_databases() says so."""
    try:
        seen = read_only(settings.hub.data / "hub.db", clocks_seen())
    except StorageError:
        return {}
    return {member: MemberClock(ahead=ahead, seen_at=seen_at) for member, (ahead, seen_at) in seen.items()}


def _look_at_document(settings: HubSettings, kids: frozenset[str], now: float) -> HubDocumentFacts:
    table = settings.hub
    file, since, held, problem = None, 0.0, None, ""
    try:
        operator = load_operator_keys(table.operator_key)
    except PatchworkError as error:
        return HubDocumentFacts(now=now, kids=kids, problem=str(error))
    try:
        token = read_file(table.federation_document, MAX_DOCUMENT_BYTES).strip()
        since = table.federation_document.stat().st_mtime
        file = verify_document(token, operator_key=operator, now=None)
    except (PatchworkError, OSError) as error:
        problem = str(error)
    try:
        kept = read_only(table.data / "hub.db", _kept())
        held = None if kept is None else verify_document(kept, operator_key=operator, now=None)
    except StorageError:
        pass  # check_databases() says so
    except PatchworkError as error:
        problem = f"what the database holds is not of this operator: {error}"
    return HubDocumentFacts(now=now, kids=kids, file=file, file_since=since, problem=problem, held=held)


def _kept() -> Work[bytes | None]:
    rows = yield Statement("SELECT token FROM federation_document ORDER BY seq DESC LIMIT 1")
    return rows[0][0] if rows else None
