"""That one of this agency's own staff opened a client's page here, as a frozen type and its body: once a day each."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from consent_ledger.append import Guard

_SECONDS_PER_DAY = 86_400
_LABEL = b"pw/looked/once01"  # BLAKE2b's personalisation, 16 bytes
_NAME_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedEntry:
    """Who looked at whose page, and why. `account` is the public id, which is never used again; `at` in epoch seconds.

    `member` is this agency. `secret` is that of the day (UTC), under which the ledger remembers until the day is over
    that this account has looked at this person: the row by itself tells nobody, and nothing once the secret is gone.
    """

    member: str
    account: str
    name: str
    role: str
    purpose: str
    lawful_basis: str
    person_id: int
    at: float
    secret: bytes = field(repr=False)

    def body(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {
            "by": self.account,
            "name": self.name,
            "role": self.role,
            "purpose": self.purpose,
            "lawful_basis": self.lawful_basis,
            "person_id": self.person_id,
        }

    def guard(self) -> Guard:
        """That there is none of today: kept where ids of answered questions are, none of which is this agency's own."""
        day = int(self.at) // _SECONDS_PER_DAY
        about = repr((day, self.account, self.person_id)).encode()
        once = hashlib.blake2b(about, key=self.secret, digest_size=_NAME_BYTES, person=_LABEL).hexdigest()
        return Guard(
            issuer=self.member,
            jti=f"looked-{once}",
            expires_at=(day + 1) * _SECONDS_PER_DAY,
            persons=(),
            consent_head=None,
            agreement_sha256=None,
            answers=False,
        )
