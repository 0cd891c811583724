"""How many questions and answers went between two members by hour, `typ: patchwork-counts+jwt` (docs/wire.md,
"Counts").

What one member says to another about the traffic between them, so that both find out what their hubs have dropped. It
tells nothing that a hub does not see: no question, no person, no outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.days import HOUR_S
from gateway.errors import MalformedMessage, NotForUs
from gateway.wire import jws
from gateway.wire.claims import MAX_MOMENT, Claims, array, identifier, integer, nested, only, read_claims, sha256, text
from gateway.wire.keys import SigningKey, VerifyKey
from gateway.wire.limits import COUNTS_LIFETIME_S, MAX_COUNTS_BYTES, MAX_COUNTS_HOURS, MAX_URI_CHARS

TYP: Final = "patchwork-counts+jwt"
MAX_REQUEST_BYTES: Final = 256

_CLAIMS = frozenset({"iss", "aud", "iat", "exp", "federation", "hub", "since", "until", "hours", "ledger"})
_HOUR = frozenset({"hour", "answered", "received", "unfinished"})
_LEDGER = frozenset({"size", "root"})
_REQUEST = frozenset({"v", "since", "until"})
_VERSION = 1
_MAX_HOUR = MAX_MOMENT // HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """`answered`: the reader's questions that `iss` answered in time; `received`: the reader's answers that held;
    `unfinished`: questions to the reader of which `iss` cannot say what came back.
    """

    answered: int
    received: int
    unfinished: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """One member's statement to another; hours since the epoch, `until` not among them, those without traffic left out.

    `hub` is the address of the hub by which `issuer` asks; `ledger_size` and `ledger_root` (hex) are the tree head that
    it will be held to.
    """

    issuer: str
    reader: str
    federation: str
    hub: str
    since: int
    until: int
    hours: Mapping[int, Hour]
    ledger_size: int
    ledger_root: str


def sign_counts(counts: Counts, *, key: SigningKey, now: float) -> str:
    """The statement as a compact JWS."""
    claims: Claims = {
        "iss": counts.issuer,
        "aud": counts.reader,
        "iat": int(now),
        "exp": int(now) + COUNTS_LIFETIME_S,
        "federation": counts.federation,
        "hub": counts.hub,
        "since": counts.since,
        "until": counts.until,
        "hours": [
            {"hour": hour, "answered": each.answered, "received": each.received, "unfinished": each.unfinished}
            for hour, each in sorted(counts.hours.items())
        ],
        "ledger": {"size": counts.ledger_size, "root": counts.ledger_root},
    }
    return jws.sign(claims, typ=TYP, key=key)


def verify_counts(
    token: str | bytes, *, issuer: str, reader: str, federation: str, keys: Mapping[str, VerifyKey], now: float
) -> Counts:
    """What `issuer` says to `reader`; `keys` are its own, in force.

    (1) the signature   (2) from it, to us, in this federation   (3) time   (4) claims   (5) hours in order, within the
    range, each once. Raises WireError.
    """
    # (1)
    claims = jws.verify(token, typ=TYP, keys=keys, max_bytes=MAX_COUNTS_BYTES)
    only(claims, _CLAIMS)
    # (2)
    said = (identifier(claims, "iss"), identifier(claims, "aud"), identifier(claims, "federation"))
    if said != (issuer, reader, federation):
        raise NotForUs("counts from or to somebody else")
    # (3)
    jws.check_times(claims, now, COUNTS_LIFETIME_S)
    # (4)
    since, until = _range(claims)
    ledger = nested(claims, "ledger")
    only(ledger, _LEDGER)
    hours: dict[int, Hour] = {}
    before = since - 1
    for entry in array(claims, "hours", dict, maximum=MAX_COUNTS_HOURS):
        only(entry, _HOUR)
        # (5)
        hour = integer(entry, "hour", minimum=before + 1, maximum=until - 1)
        before = hour
        hours[hour] = Hour(
            answered=integer(entry, "answered"),
            received=integer(entry, "received"),
            unfinished=integer(entry, "unfinished"),
        )
    return Counts(
        issuer=issuer,
        reader=reader,
        federation=federation,
        hub=text(claims, "hub", max_chars=MAX_URI_CHARS),
        since=since,
        until=until,
        hours=hours,
        ledger_size=integer(ledger, "size"),
        ledger_root=sha256(ledger, "root"),
    )


def counts_request(since: int, until: int) -> bytes:
    """The body by which one member asks another for its counts of these hours."""
    return b'{"v":%d,"since":%d,"until":%d}' % (_VERSION, since, until)


def read_counts_request(body: bytes) -> tuple[int, int]:
    """`since` and `until` of a request, at most MAX_COUNTS_HOURS apart; raises MalformedMessage."""
    claims = read_claims(body, max_bytes=MAX_REQUEST_BYTES)
    only(claims, _REQUEST)
    integer(claims, "v", minimum=_VERSION, maximum=_VERSION)
    return _range(claims)


def _range(claims: Claims) -> tuple[int, int]:
    since, until = integer(claims, "since", maximum=_MAX_HOUR), integer(claims, "until", maximum=_MAX_HOUR)
    if not 0 <= until - since <= MAX_COUNTS_HOURS:
        raise MalformedMessage(f"until must be at most {MAX_COUNTS_HOURS} hours after since")
    return since, until
