"""The hub's word that a federation document is the newest, `typ: patchwork-freshness+jwt` (docs/wire.md)."""

from dataclasses import dataclass

from gateway.days import HOUR_S
from gateway.errors import ClockWrong, FederationStale, NotForUs, OutOfTime, WireError
from gateway.wire import jws
from gateway.wire.claims import integer, only, sha256
from gateway.wire.federation import HUB, Federation
from gateway.wire.keys import SigningKey
from gateway.wire.limits import FRESHNESS_LIFETIME_S, MAX_CLOCK_DIFFERENCE_S, MAX_STATEMENT_BYTES

TYP = "patchwork-freshness+jwt"

_CLAIMS = frozenset({"iss", "aud", "iat", "exp", "seq", "sha256"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """A verified statement; `time` is the hub's clock when it signed, epoch seconds, and `kid` its key."""

    kid: str
    seq: int
    sha256: str
    time: int
    expires_at: int

    def check_clock(self, now: float) -> None:
        """For a statement that the hub has just made: raises ClockWrong if the clocks differ by more than a minute."""
        off = now - self.time
        if abs(off) > MAX_CLOCK_DIFFERENCE_S:
            how = "ahead of" if off > 0 else "behind"
            raise ClockWrong(f"this machine's clock is {abs(off):.0f} s {how} the hub's")


def sign_freshness(document: Federation, hub_key: SigningKey, now: float, *, lifetime_s: int = HOUR_S) -> str:
    """A statement about `document`, signed with the hub's own key."""
    claims = {
        "iss": HUB,
        "aud": document.name,
        "iat": int(now),
        "exp": int(now) + lifetime_s,
        "seq": document.seq,
        "sha256": document.sha256,
    }
    return jws.sign(claims, typ=TYP, key=hub_key)


def verify_freshness(token: str | bytes, federation: Federation, now: float) -> Freshness:
    """Check a statement against the document that it came with.

    (1) a hub key of that document   (2) claims   (3) time, the key's too   (4) it names that federation, seq and hash
    Raises MalformedMessage, NotAuthentic, NotForUs; ClockWrong if it is from the future; FederationStale if expired.
    """
    statement = verify_hub_word(token, federation, now)
    if (statement.seq, statement.sha256) != (federation.seq, federation.sha256):
        raise NotForUs("the freshness statement names another document")
    return statement


def verify_hub_word(token: str | bytes, federation: Federation, now: float) -> Freshness:
    """As verify_freshness(), of whichever document: for the operator, who may hold a newer one than the hub serves."""
    # (1)
    claims = jws.verify(token, typ=TYP, keys=federation.hub_keys, max_bytes=MAX_STATEMENT_BYTES)
    # (2)
    only(claims, _CLAIMS)
    statement = Freshness(
        kid=jws.signer(token, typ=TYP, max_bytes=MAX_STATEMENT_BYTES),
        seq=integer(claims, "seq"),
        sha256=sha256(claims, "sha256"),
        time=integer(claims, "iat"),
        expires_at=integer(claims, "exp"),
    )
    # (3)
    if statement.time > now + MAX_CLOCK_DIFFERENCE_S:
        statement.check_clock(now)
    try:
        jws.check_times(claims, now, FRESHNESS_LIFETIME_S, MAX_CLOCK_DIFFERENCE_S)
    except OutOfTime as error:
        raise FederationStale(f"the freshness statement is not in force: {error}") from error
    if statement.kid not in federation.hub_keys_at(now):
        raise FederationStale("the key that signed the freshness statement has ended: the hub's is to be rotated")
    # (4)
    if (claims["iss"], claims["aud"]) != (HUB, federation.name):
        raise NotForUs("the freshness statement is not this federation's")
    return statement


def claimed_signer(token: str) -> str:
    """The key under which a statement, not yet verified, says that it was signed; "" if it says none."""
    try:
        return jws.signer(token, typ=TYP, max_bytes=MAX_STATEMENT_BYTES)
    except WireError:
        return ""
