"""Examines a hub from outside, whether it runs or not: (1) gather facts, (2) check them."""

from dataclasses import dataclass

from gateway.clock import Clock
from gateway.database.contract import Statement, Work
from gateway.doctor.doors import check_door
from gateway.doctor.expiry import document_endings, findings_of
from gateway.doctor.finding import Finding, moment, soon, spell, well, wrong
from gateway.doctor.looking import look_at_database, look_at_disk, look_at_door, look_at_tls, read_only
from gateway.doctor.storage import check_databases, check_disk
from gateway.errors import PatchworkError, StorageError
from gateway.settings import HubSettings
from gateway.wire.federation import Federation, verify_document
from gateway.wire.keys import SigningKey
from gateway.wire.limits import MAX_DOCUMENT_BYTES, SKEW_S
from gateway.wire.operator import load_verify_key, read_file

CHECK = "federation"
HUB_KEY_FILE = "hub.pem"
SERVE = "patchwork hub serve"
_COPY = "the operator copies the newest operator/federation.jws here (docs/running-a-hub.md)"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubDocumentFacts:
    """`file`: what lies where the configuration says, if the operator signed it, else `problem` says why not.

    `held` is what the hub has taken, `kid` its own key. Documents may be over; times are epoch seconds.
    """

    now: float
    kid: str
    file: Federation | None = None
    problem: str = ""
    held: Federation | None = None


async def examine_hub(settings: HubSettings, clock: Clock) -> list[Finding]:
    """All checks of a hub; raises nothing that a broken hub could cause."""
    table, now = settings.hub, clock.now()
    endings, problems = look_at_tls(table.tls)
    found = [
        wrong("configuration", problem, "mend the configuration, or put the file where it says") for problem in problems
    ]
    kid, key_found = _look_at_key(settings)
    facts = _look_at_document(settings, kid, now)
    database = look_at_database(table.data / "hub.db", "hub")
    found += [
        *key_found,
        *check_hub_document(facts),
        *check_databases([database]),
        *check_disk(look_at_disk(table.data)),
    ]
    document = facts.file or facts.held
    if document is not None and document.expires_at > now:
        endings += document_endings(document)
    found += findings_of(endings, now)
    door = await look_at_door(table.listen, tls=table.tls is not None)
    return found + check_door(door, who="hub", start=SERVE)


def check_hub_document(facts: HubDocumentFacts) -> list[Finding]:
    """Whether this hub has a document to serve that nodes will take."""
    if facts.file is None and facts.held is None:
        return [wrong(CHECK, f"no federation document: nobody asks or answers ({facts.problem})", _COPY)]
    document = max((each for each in (facts.file, facts.held) if each), key=lambda each: each.seq)
    found = []
    if facts.problem:
        found.append(wrong(CHECK, f"the file is not taken, document {document.seq} serves on: {facts.problem}", _COPY))
    if facts.file is not None and facts.held is not None and facts.file.seq < facts.held.seq:
        what = (
            f"the file holds document {facts.file.seq}, and this hub has served {facts.held.seq}: the file is not taken"
        )
        found.append(wrong(CHECK, what, _COPY))
    if document.expires_at <= facts.now:
        ago = f"{spell(facts.now - document.expires_at)} ago, at {moment(document.expires_at)}"
        what = f"federation document {document.seq} expired {ago}: this hub serves nothing, and no node asks or answers"
        found.append(wrong(CHECK, what, f"the operator runs `patchwork federation renew`; {_COPY}"))
    if document.issued_at > facts.now + SKEW_S:
        what = f"document {document.seq} is from {moment(document.issued_at)}, which is not yet by this clock"
        found.append(wrong("clock", what, "let this machine and the operator's set their clocks by NTP"))
    if facts.kid and facts.kid not in document.hub_keys:
        what = f"document {document.seq} does not name this hub's key: no node believes this hub"
        found.append(wrong(CHECK, what, "put the right keys/hub.pem back, or ask the operator"))
    if not document.members:
        found.append(soon(CHECK, f"document {document.seq} has no members yet", "`patchwork federation admit`"))
    left = spell(document.expires_at - facts.now)
    return found or [well(CHECK, f"document {document.seq} is in force for another {left}")]


def _look_at_key(settings: HubSettings) -> tuple[str, list[Finding]]:
    try:
        kid = SigningKey.load(settings.hub.keys / HUB_KEY_FILE).kid
    except PatchworkError as error:
        return "", [wrong("keys", str(error), "put the file back from the backup of keys/, or set its mode to 0600")]
    return kid, [well("keys", "the hub's key can be used")]


def _look_at_document(settings: HubSettings, kid: str, now: float) -> HubDocumentFacts:
    table = settings.hub
    file, held, problem = None, None, ""
    try:
        operator = load_verify_key(table.operator_key)
    except PatchworkError as error:
        return HubDocumentFacts(now=now, kid=kid, problem=str(error))
    try:
        token = read_file(table.federation_document, MAX_DOCUMENT_BYTES).strip()
        file = verify_document(token, operator_key=operator, now=None)
    except PatchworkError as error:
        problem = str(error)
    try:
        kept = read_only(table.data / "hub.db", _kept())
        held = None if kept is None else verify_document(kept, operator_key=operator, now=None)
    except StorageError:
        pass  # check_databases() says so
    except PatchworkError as error:
        problem = f"what the database holds is not of this operator: {error}"
    return HubDocumentFacts(now=now, kid=kid, file=file, problem=problem, held=held)


def _kept() -> Work[bytes | None]:
    rows = yield Statement("SELECT token FROM federation_document ORDER BY seq DESC LIMIT 1")
    return rows[0][0] if rows else None
