"""Keeps the federations of one node apart: no key in two of them, and each request is for one.

A hub's key that two documents list could sign deliveries for both, and a key of this node's own in both would tell each
who the other's member is. So neither may be: such a node does not start, and while it runs a document that would bring
one is not taken. The federation that it is of falls behind then, and the others are none the worse for it. What one
*other* member does with its keys in two federations is its own affair: no request of it is taken for two.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import combinations

from gateway.errors import ConfigurationError, FederationError, WireError
from gateway.node.parts import NodeParts
from gateway.wire import jws
from gateway.wire.claims import identifier
from gateway.wire.federation import HUB, Federation
from gateway.wire.limits import MAX_REQUEST_TOKEN_BYTES
from gateway.wire.request import SCHEME, TYP


def keep_apart(nodes: Sequence[NodeParts]) -> None:
    """Refuse shared keys now and from now on; raises ConfigurationError naming the federations."""
    for one, other in combinations(nodes, 2):
        pair = f"{one.me.federation} and {other.me.federation}"
        if _own(one) & _own(other):
            raise ConfigurationError(
                f"{pair}: both key folders hold the same key, and each federation would know this agency in the other:"
                " make new ones with `patchwork node add-federation`"
            )
        for here, there in ((one, other), (other, one)):
            if here.membership.received is not None and _shared(here.membership.received, there):
                raise ConfigurationError(
                    f"{pair}: one key stands in the documents of both; ask their operators, and until then take one of"
                    " them out of the configuration"
                )
    for node in nodes:
        node.membership.must_fit(_fits(node, [each for each in nodes if each is not node]))


def which(authorisation: str, nodes: Sequence[NodeParts]) -> int | None:
    """Whose request this is, by the key that its token names: UNVERIFIED, only to choose who verifies it.

    None for what names no key that we know: at any desk it would learn of that federation's state. If a member uses one
    key in two federations, `aud` decides; None if that does not tell either.
    """
    token = authorisation.removeprefix(SCHEME)
    try:
        kid = jws.signer(token, typ=TYP, max_bytes=MAX_REQUEST_TOKEN_BYTES)
        claims = jws.peek(token, max_bytes=MAX_REQUEST_TOKEN_BYTES)
        issuer, aud = identifier(claims, "iss"), identifier(claims, "aud")
    except WireError:
        return None
    known = [at for at, node in enumerate(nodes) if kid in _kids_of(issuer, node.membership.received)]
    if len(known) > 1:
        known = [at for at in known if nodes[at].me.member == aud]
    return known[0] if len(known) == 1 else None


def _fits(node: NodeParts, others: Sequence[NodeParts]) -> Callable[[Federation], None]:
    def check(received: Federation) -> None:
        for other in others:
            if _shared(received, other):
                raise FederationError(
                    f"the document of {node.me.federation} lists a key that is somebody's in {other.me.federation}"
                )

    return check


def _shared(received: Federation, other: NodeParts) -> bool:
    """Whether a document lists a hub's key, or a key of this node's own, that belongs into another federation."""
    listed = _member_kids(received) | received.hub_keys.keys()
    theirs = other.membership.received
    if listed & other.me.signing_keys.kids:
        return True
    if theirs is None:
        return False
    return bool(listed & theirs.hub_keys.keys() or received.hub_keys.keys() & _member_kids(theirs))


def _member_kids(document: Federation) -> frozenset[str]:
    return frozenset(key.key.kid for member in document.members.values() for key in member.keys)


def _own(node: NodeParts) -> frozenset[str]:
    return node.me.signing_keys.kids | node.me.ledger_keys.kids


def _kids_of(issuer: str, document: Federation | None) -> Collection[str]:
    """Keys of an issuer, in force or not: whether they are is for the federation's own desk to say."""
    if document is None:
        return ()
    if issuer == HUB:
        return document.hub_keys.keys()
    member = document.members.get(issuer)
    return () if member is None else [key.key.kid for key in member.keys]
