"""The members' sealing keys as they published them (docs/wire.md, "Sealing keys").

A key counts while the signing key that published it may be used: one that waits for this node's officer cannot publish,
and one that was revoked takes with it what it published.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.errors import WireError
from gateway.wire.federation import Member
from gateway.wire.seal import PublicSealingKey
from gateway.wire.sealing_keys import verify_sealing_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One member's statement and the key in it; `checked_with` are the kids in force when it was verified."""

    statement: str
    key: PublicSealingKey
    checked_with: frozenset[str]


class PublishedKeys:
    """The newest key of each member; never an older one than before."""

    def __init__(self, federation: str) -> None:
        self._federation = federation
        self._held: dict[str, Published] = {}

    def of(self, member: str) -> Published | None:
        """What a member published, as last taken up."""
        return self._held.get(member)

    def in_force(self, now: float) -> dict[str, PublicSealingKey]:
        """The keys that a question may be sealed to now."""
        return {member: held.key for member, held in self._held.items() if now < held.key.expires}

    def take(self, served: Mapping[str, str], members: Iterable[Member], now: float) -> dict[str, str]:
        """Take up what verifies and is not older than what is held; returns the statements that are new.

        `members` are those whose keys may be used; what the others published is dropped.
        """
        kept, taken = {}, {}
        for member in members:
            held = self._held.get(member.id)
            if held is not None and (held.checked_with != frozenset(member.keys_at(now)) or now >= held.key.expires):
                held = self._check(member, held.statement, now)
            statement = served.get(member.id)
            if statement is not None and (held is None or statement != held.statement):
                offered = self._check(member, statement, now)
                if offered is not None and (held is None or held.key.not_before <= offered.key.not_before):
                    held, taken[member.id] = offered, statement
            if held is not None:
                kept[member.id] = held
        self._held = kept
        return taken

    def _check(self, member: Member, statement: str, now: float) -> Published | None:
        """None for what the member did not sign or what has ended: it is as if the hub had served nothing."""
        try:
            key = verify_sealing_key(statement, member=member, federation=self._federation, now=now)
        except WireError:
            return None
        return Published(statement=statement, key=key, checked_with=frozenset(member.keys_at(now)))
