"""What ends by itself unless somebody acts: keys, the federation document, certificates, agreements.

One list for the three places that warn: `patchwork doctor`, `patchwork node status`, and the log of a serving node or
hub, once a day (expiry_watch.py).
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from gateway.days import DAY_S
from gateway.doctor.finding import Finding, Level, moment, spell
from gateway.policy.in_force import publish
from gateway.wire.federation import Federation, MemberKey

WARN_DAYS = (30, 7, 1)  # before the end of what takes people time to renew
AGREEMENT_TOLD_DAYS = 7  # nobody takes an agreement that was meant to end out of the document at once
DOCUMENT_WARN_DAYS = (2, 1)  # it lives for seven days and is renewed every few


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Something that ends at `at` (epoch seconds); `kind` is stable, `name` says which one, `do` how it is renewed."""

    kind: str
    name: str
    at: float
    do: str
    warn_days: tuple[int, ...] = WARN_DAYS
    told_for_days: int | None = None  # after its end, where it may have been meant to end

    def days_left(self, now: float) -> int | None:
        """The narrowest of `warn_days` that it is within, 0 when it is over; None while there is nothing to tell."""
        left = self.at - now
        if left <= 0:
            return 0 if self.told_for_days is None or -left < self.told_for_days * DAY_S else None
        return min((days for days in self.warn_days if left <= days * DAY_S), default=None)

    def said(self, now: float) -> str:
        """`signing key abc ends in 3 days, on ...`"""
        left = self.at - now
        how = f"ends in {spell(left)}, at" if left > 0 else f"ended {spell(-left)} ago, at"
        return f"{self.name} {how} {moment(self.at)}"


def findings_of(endings: Iterable[Ending], now: float) -> list[Finding]:
    """What ends within its days of warning, the nearest first."""
    return [
        Finding(
            check=f"expiry.{ending.kind}",
            level=Level.WRONG if ending.at <= now else Level.SOON,
            what=ending.said(now),
            do=ending.do,
        )
        for ending in sorted(endings, key=lambda each: each.at)
        if ending.days_left(now) is not None
    ]


def document_endings(document: Federation) -> Iterator[Ending]:
    """The document itself."""
    yield Ending(
        kind="document",
        name=f"federation document {document.seq}",
        at=document.expires_at,
        do="the operator runs `patchwork federation renew` and copies federation.jws to the hub",
        warn_days=DOCUMENT_WARN_DAYS,
    )


def hub_key_endings(document: Federation, kids: Collection[str]) -> Iterator[Ending]:
    """The key of one hub, of which `kids` are here: the newest that is listed, for the others have a successor."""
    ours = [kid for kid in document.hub_keys if kid in kids]
    if ours and ours[-1] in document.hub_ends:
        yield Ending(
            kind="hub-key",
            name=f"hub key {ours[-1]}",
            at=document.hub_ends[ours[-1]],
            do="`patchwork hub rotate-key`, and send its statement to the operator",
        )


def last_hub_ending(document: Federation) -> Iterator[Ending]:
    """When no hub is believed any more, as nodes and the operator see it."""
    ends = [document.hub_ends.get(kid) for kid in document.hub_keys]
    if None not in ends:
        yield Ending(
            kind="hub-key",
            name="the last hub key of the federation document",
            at=max(end for end in ends if end is not None),
            do="those who run the hub: `patchwork hub rotate-key`; the operator: `patchwork federation rotate-hub`",
        )


def hand_over_ending(document: Federation, accepted: Collection[str], *, do: str) -> Iterator[Ending]:
    """The operator's key, while it is handed over to one that is not among those `accepted` here, by kid."""
    said = document.hand_over
    if said is not None and said.new.kid not in accepted:
        yield Ending(kind="operator-key", name="the operator's key", at=said.until, do=do)


def member_endings(document: Federation, me: str) -> Iterator[Ending]:
    """A member's newest signing key, its ledger key, and its agreements, each in the version that lasts longest."""
    member = document.members.get(me)
    if member is None:
        return
    newest: MemberKey = max(member.keys, key=lambda key: key.not_after)  # the others have a successor
    yield Ending(
        kind="signing-key",
        name=f"signing key {newest.key.kid}",
        at=newest.not_after,
        do="`patchwork node rotate-key`, and send its request to the operator",
    )
    if member.ledger_until is not None:
        yield Ending(
            kind="ledger-key",
            name=f"ledger key {member.ledger_key['kid']}",
            at=member.ledger_until,
            do="`patchwork node rotate-ledger-key`, and send its request to the operator",
        )
    signed = [each.agreement for each in publish(document).values() if me in each.signed_by & each.agreement.members]
    lasting = {agreement.uri: agreement for agreement in sorted(signed, key=lambda each: each.end_date)}
    for agreement in lasting.values():
        over = datetime.combine(agreement.end_date + timedelta(days=1), time(), UTC)
        yield Ending(
            kind="agreement",
            name=f"agreement {agreement.name}, version {agreement.version},",
            at=over.timestamp(),
            do="agree its next version with the other parties, sign it and have the operator carry it",
            told_for_days=AGREEMENT_TOLD_DAYS,
        )


def certificate_ending(file: Path, until: float) -> Ending:
    """A certificate of one's own, as its file says."""
    return Ending(kind="certificate", name=f"certificate {file}", at=until, do="renew it, and start again")
