"""Who asks at this node's door, found out before anything is said of the state that this node is in.

A stranger is told `not-authentic` whether we are idle, busy, behind or in doubt: in two federations, we would else
tell each hub how things stand in the other. So the keys that are held serve to know somebody, in force or not.
"""

from collections.abc import Callable

from gateway.errors import OutOfTime
from gateway.node.membership import Membership
from gateway.wire.federation import HUB
from gateway.wire.request import VerifiedHeader, verify_header


def from_hub(issuer: str) -> bool:
    """For what the federation's hub alone may bring."""
    return issuer == HUB


def from_member(issuer: str) -> bool:
    """For what members ask of each other."""
    return issuer != HUB


def known_caller(
    authorisation: str,
    may_ask: Callable[[str], bool],
    *,
    membership: Membership,
    method: str,
    path: str,
    aud: str,
    now: float,
) -> VerifiedHeader:
    """The header of one request by an issuer of whom `may_ask` is true; the body is still to be read.

    Raises WireError, and FederationError only to whom we know: then nothing may be answered.
    """
    try:
        header = verify_header(
            authorisation,
            lambda issuer: membership.keys_of(issuer, now) if may_ask(issuer) else {},
            method=method,
            path=path,
            aud=aud,
            now=now,
        )
    except OutOfTime:
        membership.current()  # its signature holds, so it may be told that it is our own clock that is wrong
        raise
    membership.current()
    return header
