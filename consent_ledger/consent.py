"""What a person's consent entries amount to for one question about one service. Pure.

Entries are replayed in ledger order, as docs/policy.md describes:

(1) an entry counts only where one of its provisions covers purpose, recipient and service;
(2) a consent replaces what the same giver said earlier; within one entry a refusal wins;
(3) a withdrawal takes permission away and lifts no objection; without provisions it covers everything;
(4) an objection does not count where, and as long as, a later consent permits: when that expires, is withdrawn or is
    replaced by a narrower one, the objection stands as before, so that nobody is less protected by having agreed once;
(5) the person's own consent replaces what representatives said before it; a representative's entry never widens
    what the person set, and of several representatives the narrowest holds;
(6) what has expired permits nothing, and restores no earlier permission.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from mappings.vocabulary import MAX_SCOPE, Mode, Purpose

MAX_PROVISIONS = 50  # of one entry; a form on a screen has a handful

_NOTHING_REFUSED = Mode.SCHEDULE + 1


class ConsentKind(StrEnum):
    """Which of the three things was said; the same codes as the ledger's entry kinds."""

    CONSENT = "consent"
    WITHDRAWAL = "withdrawal"
    OBJECTION = "objection"


class Relation(StrEnum):
    """Who speaks: the person, or somebody for them."""

    PERSON = "person"
    PARENT = "parent"
    GUARDIAN = "guardian"
    ATTORNEY = "attorney"


@dataclass(frozen=True, slots=True, kw_only=True)
class Giver:
    """`reference` tells one representative from another (a local id); empty for the person."""

    relation: Relation = Relation.PERSON
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """One line of an entry: what, for which purposes, to whom, from which of our services. An empty list means all.

    `mode` of a permission is the most that may be shown; of a refusal or withdrawal the least that may not (CALLBACK:
    nothing may). `recipients` are MAIS organisation codes or member ids.
    """

    permit: bool
    mode: Mode
    purposes: tuple[Purpose, ...] = ()
    recipients: tuple[str, ...] = ()
    except_recipients: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a provision about nothing; raises ValueError."""
        if self.mode is Mode.NONE:
            raise ValueError("a provision needs a mode above none")
        if max(map(len, (self.purposes, self.recipients, self.except_recipients, self.services))) > MAX_SCOPE:
            raise ValueError(f"a provision lists at most {MAX_SCOPE} codes")

    def covers(self, purpose: Purpose, recipient: str, recipient_type: str, service: str) -> bool:
        """Whether this line speaks about such a question."""
        if self.purposes and purpose not in self.purposes:
            return False
        if self.services and service not in self.services:
            return False
        if recipient in self.except_recipients or recipient_type in self.except_recipients:
            return False
        return not self.recipients or recipient in self.recipients or recipient_type in self.recipients


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEntry:
    """One consent, withdrawal or objection; never edited. `seq` is its place in the ledger, -1 before it has one.

    Only a withdrawal or an objection may have no provisions: it then covers everything. `until` is the last day.
    """

    kind: ConsentKind
    giver: Giver = Giver()
    provisions: tuple[Provision, ...] = ()
    until: date | None = None
    given_on: str | None = None
    method: str = ""
    recorded_by: str = ""
    seq: int = -1

    def __post_init__(self) -> None:
        """Refuse contradictions in terms; raises ValueError."""
        if len(self.provisions) > MAX_PROVISIONS:
            raise ValueError(f"an entry has at most {MAX_PROVISIONS} provisions")
        if self.kind is ConsentKind.CONSENT and not self.provisions:
            raise ValueError("a consent says what it permits")
        if self.kind is not ConsentKind.CONSENT and any(line.permit for line in self.provisions):
            raise ValueError(f"a {self.kind} permits nothing")
        if self.kind is ConsentKind.WITHDRAWAL and self.until is not None:
            raise ValueError("a withdrawal has no end")
        if (self.giver.relation is Relation.PERSON) == bool(self.giver.reference):
            raise ValueError("a representative has a reference, the person has none")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentState:
    """What holds for one question and service.

    `permits`: the most consented to (NONE: no consent). `refused_from`: the least mode that the person objects to, if
    any. `explicit`: the most that the person's own consent naming this very service permits. `entry`: seq of the
    newest consent that `permits` rests on.
    """

    permits: Mode = Mode.NONE
    refused_from: Mode | None = None
    explicit: Mode = Mode.NONE
    entry: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Voice:
    """What one giver has said so far: `granted` None is silence, `cap` what later withdrawals and objections leave.

    `objected_from`: the least mode that was ever objected to, whatever was agreed to since.
    """

    granted: Mode | None = None
    cap: Mode = Mode.SCHEDULE
    objected_from: int = _NOTHING_REFUSED
    explicit: Mode = Mode.NONE
    entry: int | None = None

    @property
    def refused_from(self) -> int:
        """The least mode that is objected to now: (4) not those that the giver's own consent still permits."""
        return max(self.objected_from, min(self.granted or Mode.NONE, self.cap) + 1)


def effective(
    entries: Iterable[ConsentEntry], *, purpose: Purpose, recipient: str, recipient_type: str, service: str, today: date
) -> ConsentState:
    """Replay `entries` (in ledger order) for one question: asking member and its type, our service's code, the day."""
    person = _Voice()
    others: dict[Giver, _Voice] = {}
    for entry in entries:
        # (1) only what speaks about this question
        lines = [line for line in entry.provisions if line.covers(purpose, recipient, recipient_type, service)]
        if entry.provisions and not lines:
            continue
        own = entry.giver.relation is Relation.PERSON
        before = person if own else others.get(entry.giver, _Voice())
        if own and any(line.permit for line in lines):
            # (5) the person's own word replaces the representatives'; their objections become the person's (4)
            objected = min([before.objected_from, *(voice.objected_from for voice in others.values())])
            before = replace(before, objected_from=objected)
            others.clear()
        after = _hear(before, entry, lines, service, today)
        if own:
            person = after
        else:
            others[entry.giver] = replace(after, explicit=Mode.NONE)  # explicit consent is the person's own alone
    return _combine([person, *others.values()], person.explicit)


def _hear(voice: _Voice, entry: ConsentEntry, lines: list[Provision], service: str, today: date) -> _Voice:
    """One more entry of one giver."""
    expired = entry.until is not None and today > entry.until
    permitted = [line for line in lines if line.permit]
    if permitted:
        # (2) replaces; (6) expired: permits nothing
        most = max(line.mode for line in permitted)
        named = [line.mode for line in permitted if service and service in line.services]
        voice = _Voice(
            granted=Mode.NONE if expired else most,
            objected_from=voice.objected_from,
            explicit=Mode.NONE if expired else max(named, default=Mode.NONE),
            entry=entry.seq,
        )
    refused = [line.mode for line in lines if not line.permit] or ([] if entry.provisions else [Mode.CALLBACK])
    if not refused:
        return voice
    # (2) a refusal wins; (3) permission goes
    least = min(refused)
    voice = replace(voice, cap=min(voice.cap, Mode(least - 1)))
    if entry.kind is ConsentKind.WITHDRAWAL or expired:
        return voice
    return replace(voice, objected_from=min(voice.objected_from, least))  # (4)


def _combine(voices: list[_Voice], explicit: Mode) -> ConsentState:
    """(5) the narrowest of all that were heard."""
    granting = [voice for voice in voices if voice.granted is not None]
    refused = min(voice.refused_from for voice in voices)
    cap = min([voice.cap for voice in voices] + [Mode(min(refused - 1, Mode.SCHEDULE))])
    permits = min([voice.granted for voice in granting if voice.granted is not None] + [cap]) if granting else Mode.NONE
    return ConsentState(
        permits=permits,
        refused_from=None if refused == _NOTHING_REFUSED else Mode(refused),
        explicit=min(explicit, permits),
        entry=max(v.entry for v in granting if v.entry is not None) if permits else None,
    )


def to_body(entry: ConsentEntry) -> dict[str, Any]:
    """The entry as plain data for the ledger; `kind` and `seq` are the ledger's own."""
    return {
        "giver": {"relation": entry.giver.relation, "reference": entry.giver.reference},
        "provisions": [
            {
                "permit": line.permit,
                "mode": line.mode.code,
                "purposes": list(line.purposes),
                "recipients": list(line.recipients),
                "except_recipients": list(line.except_recipients),
                "services": list(line.services),
            }
            for line in entry.provisions
        ],
        "until": entry.until.isoformat() if entry.until else None,
        "given_on": entry.given_on,
        "method": entry.method,
        "recorded_by": entry.recorded_by,
    }


def from_body(seq: int, kind: ConsentKind, body: Mapping[str, Any]) -> ConsentEntry:
    """What `to_body` wrote; raises KeyError or ValueError for anything else."""
    return ConsentEntry(
        seq=seq,
        kind=kind,
        giver=Giver(relation=Relation(body["giver"]["relation"]), reference=body["giver"]["reference"]),
        provisions=tuple(
            Provision(
                permit=line["permit"],
                mode=Mode.from_code(line["mode"]),
                purposes=tuple(map(Purpose, line["purposes"])),
                recipients=tuple(line["recipients"]),
                except_recipients=tuple(line["except_recipients"]),
                services=tuple(line["services"]),
            )
            for line in body["provisions"]
        ),
        until=date.fromisoformat(body["until"]) if body["until"] else None,
        given_on=body["given_on"],
        method=body["method"],
        recorded_by=body["recorded_by"],
    )
