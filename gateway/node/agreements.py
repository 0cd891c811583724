"""Which agreements bind this node to whom: what the document carries, both signed, and our own officer accepted."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from consent_ledger.append import AcceptedAgreement
from consent_ledger.ledger import Ledger
from consent_ledger.read import accepted_agreements
from gateway.database.contract import Database, Statement, Work
from gateway.errors import InputError
from gateway.files import read_file
from gateway.policy.agreement import Agreement, Effect, read_agreement
from gateway.policy.in_force import PublishedAgreement, in_force, publish, recipients_to_ask
from gateway.wire.federation import Federation
from gateway.wire.limits import MAX_AGREEMENT_BYTES
from mappings.vocabulary import AuthMethod, LawfulBasis, Mode, Purpose

BY_SETTINGS = "settings"  # who accepted, until officers have accounts of their own


class NobodyToAsk(InputError):
    """No agreement in force lets this member ask anybody for this purpose on this basis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementsInForce:
    """The agreements of one verified document, seen from one member."""

    me: str
    federation: Federation
    published: Mapping[tuple[str, str], PublishedAgreement]

    def with_member(
        self, uri: str, version: str, member: str, *, accepted: Container[str], today: date
    ) -> Agreement | None:
        """The agreement that a question names, if it is in force between us and `member`; None refuses.

        `accepted` are the hashes that this node's officer accepts now (consent_ledger.read.accepted_agreements).
        """
        published = self.published.get((uri, version))
        if published is None or not self._binds(published, member, accepted=accepted, today=today):
            return None
        return published.agreement

    def to_ask(
        self, purpose: Purpose, basis: LawfulBasis, *, accepted: Container[str], today: date
    ) -> tuple[Agreement, tuple[str, ...]]:
        """The agreement to ask under, and whom; raises NobodyToAsk when none lets us ask anybody for this purpose."""
        best: tuple[Agreement, tuple[str, ...]] | None = None
        for published in self.published.values():
            listed = recipients_to_ask(
                published.agreement, asker=self.me, purpose=purpose, basis=basis, federation=self.federation
            )
            bound = tuple(member for member in listed if self._binds(published, member, accepted=accepted, today=today))
            if bound and (best is None or len(bound) > len(best[1])):
                best = (published.agreement, bound)
        if best is None:
            raise NobodyToAsk(
                f"no agreement in force lets this agency ask anybody for {purpose.word} on the basis {basis.value}"
            )
        return best

    def for_own_staff(
        self, purpose: Purpose, basis: LawfulBasis, *, accepted: Container[str], today: date
    ) -> Agreement | None:
        """The agreement that this agency applies to itself: of those in force, the first that lets it ask itself so."""
        me = self.federation.members[self.me]
        for published in self.published.values():
            rules = published.agreement.rules
            if self._binds(published, self.me, accepted=accepted, today=today) and any(
                purpose in rule.purposes and basis in rule.lawful_bases
                for rule in rules
                if rule.receives(me.id, me.type) and rule.asks(me.id, me.type)
            ):
                return published.agreement
        return None

    def wants_stronger_sign_in(
        self, agreement: Agreement, method: AuthMethod, *, purpose: Purpose, basis: LawfulBasis
    ) -> bool:
        """Whether rules let us learn something for this purpose, but none of them if we signed in by `method`."""
        my_type = self.federation.members[self.me].type
        wanted = [
            rule.min_auth.rank
            for rule in agreement.rules
            if rule.effect is Effect.PERMIT and purpose in rule.purposes and basis in rule.lawful_bases
            if rule.receives(self.me, my_type)
        ]
        return bool(wanted) and method.rank < min(wanted)

    def most_told(self, agreement: Agreement, members: Iterable[str], *, purpose: Purpose, basis: LawfulBasis) -> Mode:
        """The most that any rule lets us learn from any of `members` for this purpose on this basis."""
        my_type = self.federation.members[self.me].type
        asked = [(member, self.federation.members[member].type) for member in members]
        return max(
            (
                rule.mode
                for rule in agreement.rules
                if rule.effect is not Effect.DENY and purpose in rule.purposes and basis in rule.lawful_bases
                if rule.receives(self.me, my_type) and any(rule.asks(*each) for each in asked)
            ),
            default=Mode.NONE,
        )

    def _binds(self, published: PublishedAgreement, member: str, *, accepted: Container[str], today: date) -> bool:
        return in_force(published, self.me, member, federation=self.federation, accepted_locally=accepted, today=today)


def agreements_of(federation: Federation, *, me: str) -> AgreementsInForce:
    """Read and verify what a document carries, once per document."""
    return AgreementsInForce(me=me, federation=federation, published=publish(federation))


def listed_agreements(paths: Iterable[Path]) -> tuple[Agreement, ...]:
    """The agreements that this node's officer put into its settings; raises ConfigurationError."""
    return tuple(read_agreement(read_file(path, MAX_AGREEMENT_BYTES), str(path)) for path in paths)


async def accept_listed(listed: Iterable[Agreement], *, ledger: Ledger, database: Database, federation: str) -> None:
    """Put on record which agreements the settings accept now, and which no longer: the record is what binds."""
    wanted = {agreement.sha256: agreement for agreement in listed}
    accepted = await database.read(accepted_agreements(federation))
    for sha256, agreement in wanted.items():
        if sha256 not in accepted:
            await ledger.accept_agreement(
                AcceptedAgreement(uri=agreement.uri, version=agreement.version, sha256=sha256), by=BY_SETTINGS
            )
    for sha256 in accepted - wanted.keys():
        uri, version = await database.read(_accepted_as(federation, sha256))
        withdrawn = AcceptedAgreement(uri=uri, version=version, sha256=sha256, accepted=False)
        await ledger.accept_agreement(withdrawn, by=BY_SETTINGS)


def _accepted_as(federation: str, sha256: str) -> Work[tuple[str, str]]:
    """Under which uri and version it was accepted: its file need not be there any more."""
    rows = yield Statement(
        "SELECT uri, version FROM agreement_accepted WHERE federation = ? AND sha256 = ?", (federation, sha256)
    )
    uri, version = rows[0]
    return uri, version
