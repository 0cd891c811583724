"""`patchwork node init --join CODE`: all that a new node needs stands in the code, but its name."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.cli.options import CLOCK
from gateway.errors import (
    ClockWrong,
    FederationError,
    FederationStale,
    HubError,
    InputError,
    MalformedMessage,
    NotAuthentic,
    OutOfTime,
    PatchworkError,
    WireError,
)
from gateway.links.hub_client import HubClient
from gateway.links.hubs import Served
from gateway.links.joins_client import ask_to_join, session_trusting
from gateway.node.offers import read_offer
from gateway.wire.federation import NO_MEMBERS_IDS, Federation, verify_document
from gateway.wire.invitation import Invitation, read_code
from gateway.wire.join_code import Joining
from gateway.wire.keys import SigningKey
from gateway.wire.limits import MAX_ID_CHARS
from mappings.vocabulary import OrganisationType

_TAKEN = frozenset(
    {*NO_MEMBERS_IDS, *(kind.value for kind in OrganisationType)}
)  # nobody's id: agreements name kinds as well
_NAMELESS = "member"  # whose name has no letter of a to z


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """A code that holds, and the federation as its hub serves it."""

    invitation: Invitation
    federation: Federation

    def free_id(self, name: str) -> str:
        """A member's id like its name, that no member has."""
        return free_id(name, self.federation.members.keys())

    @property
    def authorities_pem(self) -> bytes:
        """The certificates by which its hubs are known, empty for the system's own; raises InputError."""
        try:
            found = [x509.load_der_x509_certificate(each) for each in self.invitation.authorities]
        except ValueError as error:
            raise InputError(
                "what this join code has for certificates are none: ask the operator for a new one"
            ) from error
        return b"".join(each.public_bytes(Encoding.PEM) for each in found)


def read_join_code(code: str) -> Invitation:
    """Raises InputError that says what to do."""
    try:
        return read_code(code, CLOCK.now())
    except OutOfTime as error:
        if str(error) != "expired":
            raise InputError(f"this join code: {error}: is this machine's clock right?") from error
        raise InputError("this join code has ended: ask the operator for a new one") from error
    except (MalformedMessage, NotAuthentic) as error:
        raise InputError(
            f"this is no join code, or a part of it is missing: copy all of the line that the operator sent ({error})"
        ) from error


async def look_around(invitation: Invitation) -> Invited:
    """Ask the hubs for the member list, and believe only the operator of the code; raises HubError, InputError."""
    errors: list[PatchworkError] = []
    async with session_trusting(invitation.authorities) as session:
        for hub in invitation.hubs:
            client = HubClient(
                session,
                hub,
                member="",
                federation=invitation.federation,
                key=SigningKey.generate,  # never called: what is only fetched is not signed
                clock=CLOCK,
            )
            try:
                document, freshness = await client.federation()
                served = Served(hub=hub, document=document, freshness=freshness)
                offer = read_offer(served, lambda token: _verified(token, invitation), CLOCK.now())
                return Invited(invitation=invitation, federation=offer.received)
            except HubError as error:
                errors.append(error)
            except (FederationStale, ClockWrong) as error:
                errors.append(InputError(f"the hub at {hub}: {error}"))
            except (WireError, FederationError) as error:
                errors.append(
                    InputError(
                        f"the hub at {hub} serves no member list that the operator of this code has signed: do not go "
                        f"on, and ring the operator ({error})"
                    )
                )
    raise errors[0]


async def ask(invitation: Invitation, request: str) -> str:
    """Hand the request to the first hub that takes it, and return which; raises HubError."""
    joining = Joining(invitation=invitation.token, request=request)
    errors: list[HubError] = []
    async with session_trusting(invitation.authorities) as session:
        for hub in invitation.hubs:
            try:
                await ask_to_join(session, hub, joining)
            except HubError as error:
                errors.append(error)
            else:
                return hub
    raise errors[0]


def free_id(name: str, taken: Collection[str]) -> str:
    """`name` in a-z, 0-9 and hyphens; with a number if it is taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")[:MAX_ID_CHARS].strip("-") or _NAMELESS
    found, number = stem, 1
    while found in taken or found in _TAKEN:
        number += 1
        found = f"{stem[: MAX_ID_CHARS - len(str(number)) - 1].rstrip('-')}-{number}"
    return found


def _verified(token: bytes, invitation: Invitation) -> Federation:
    document = verify_document(token, operator_key=invitation.operator_key, now=CLOCK.now())
    if document.name != invitation.federation:
        raise NotAuthentic("it is of another federation")
    return document
