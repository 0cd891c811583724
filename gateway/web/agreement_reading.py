"""What programs have to say of an agreement: worked out in one thread, for it can take seconds, and kept a while.

One at a time in the whole node, however many officers look, so that answers keep their share of the machine.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Final, TypeVar

from gateway.errors import InputError
from gateway.fhir.text import plain
from gateway.policy.agreement import Agreement
from gateway.policy.by_purpose import by_purpose
from gateway.policy.compare import Comparison, compare
from gateway.policy.explain import Line, by_rule, clauses, footnotes, summary
from gateway.policy.findings import Finding
from gateway.policy.lint import lint
from gateway.policy.words import Wording
from gateway.web.service_kinds import SERVICE_KINDS
from gateway.web.site import Site
from mappings.value_sets import shared
from mappings.vocabulary import AuthMethod, MatchGrade, Sensitivity

Types = tuple[tuple[str, str], ...]  # member id, kind of organisation
Names = tuple[tuple[str, str], ...]  # member id, name
T = TypeVar("T")

_THREAD: Final = ThreadPoolExecutor(1, thread_name_prefix="agreements")
PLAIN: Final = Wording(
    services={code: text.partition(",")[0].lower() for code, text in SERVICE_KINDS.items()},
    sensitivity={
        Sensitivity.NORMAL: "ordinary work",
        Sensitivity.RESTRICTED: "confidential work",
        Sensitivity.VERY_RESTRICTED: "very confidential work",
    },
    grades={
        MatchGrade.PROBABLE: "the agency asked is sure of the person, or says “probably this person”",
        MatchGrade.CERTAIN: "the agency asked is sure of the person",
    },
    sign_ins={
        AuthMethod.OPERATING_SYSTEM: "whoever asks is signed in at their agency",
        AuthMethod.PASSWORD: "whoever asks is signed in with a password at least",
        AuthMethod.MFA: "whoever asks is signed in with a second factor",
    },
    anybody="any agency",
    restricted="confidential",
)
_KEPT: Final = 16  # of each; an agreement's text has at most 64 kB


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """In words: what stands around the rules, what they come to, each rule, notes, and what to know before signing.

    `purposes` has a sentence for each. It, `together` and `findings` are None if the rules tell too many cases apart to
    look at all of them.
    """

    clauses: tuple[tuple[str, str], ...]
    purposes: tuple[str, ...] | None
    together: tuple[Line, ...] | None
    rules: tuple[Line, ...]
    notes: tuple[str, ...]
    findings: tuple[Finding, ...] | None


async def explained(site: Site, agreement: Agreement) -> Explained:
    """One agreement, as today and the members that this node knows have it."""
    return await _in_thread(lambda: _explain(agreement, types_of(site), names_of(site), site.today()))


async def compared(site: Site, old: Agreement, new: Agreement) -> Comparison | None:
    """Two versions; None if there are too many cases to compare."""
    return await _in_thread(lambda: _compare(old, new, types_of(site)))


def types_of(site: Site) -> Types:
    """Active members and their kinds, as the newest member list has them; none before there is one."""
    received = site.node.membership.received
    return () if received is None else tuple((each.id, each.type.value) for each in received.active_members())


def names_of(site: Site) -> Names:
    """All members by name, as the newest member list has them."""
    return tuple((each.id, plain(each.name)) for each in site.members.values())


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREAD, work)


@lru_cache(_KEPT)
def _explain(agreement: Agreement, types: Types, names: Names, today: date) -> Explained:
    known = shared("service")
    wording = replace(PLAIN, members=dict(names))
    purposes: tuple[str, ...] | None
    together: tuple[Line, ...] | None
    findings: tuple[Finding, ...] | None
    try:
        purposes = tuple(by_purpose(agreement, dict(types) or None, wording))
        together = tuple(summary(agreement, dict(types) or None, wording))
        findings = tuple(
            lint(
                agreement,
                types=dict(types) or None,
                known_services=frozenset(known.codes.values()) if known else (),
                today=today,
            )
        )
    except InputError:
        purposes = together = findings = None
    return Explained(
        clauses=tuple(clauses(agreement, wording)),
        purposes=purposes,
        together=together,
        rules=tuple(by_rule(agreement, wording)),
        notes=tuple(footnotes(agreement, wording)),
        findings=findings,
    )


@lru_cache(_KEPT)
def _compare(old: Agreement, new: Agreement, types: Types) -> Comparison | None:
    try:
        return compare(old, new, dict(types) or None)
    except InputError:
        return None
