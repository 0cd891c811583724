"""What must hold of every decision, on generated entries and facts."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from consent_ledger.consent import (
    ConsentEntry,
    ConsentKind,
    ConsentState,
    Giver,
    Provision,
    Relation,
    effective,
    from_body,
    to_body,
)
from gateway.policy.agreement import Effect, OnObjection, read_agreement
from gateway.policy.decide import Decision, DecisionInputs, Deny, InvolvementFacts, Permit, Reason, Review, decide
from gateway.policy.toml_text import toml_text
from mappings.vocabulary import MatchGrade, Mode, Purpose, Sensitivity
from tests.policy_cases import inputs, load_cases
from tests.policy_draw import some_agreement, some_entry, some_facts

TODAY = date(2026, 11, 22)
CASES = [inputs(case.facts) for case in load_cases()]
T = TypeVar("T")
SERVICES = ["CAMHS", "health-visiting", ""]
RECIPIENTS = ["childrens-services", "local-authority", "police-force"]

modes = st.sampled_from([mode for mode in Mode if mode])
givers = st.sampled_from(
    [Giver(), Giver(), *(Giver(relation=Relation.PARENT, reference=reference) for reference in ("p1", "p2"))]
)


def some(values: Sequence[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


def provisions(permit: st.SearchStrategy[bool]) -> st.SearchStrategy[Provision]:
    return st.builds(
        Provision,
        permit=permit,
        mode=modes,
        purposes=some([Purpose.COORDINATION, Purpose.SAFEGUARDING]),
        recipients=some(RECIPIENTS),
        except_recipients=some(RECIPIENTS),
        services=some(SERVICES[:2]),
    )


untils = st.sampled_from([None, None, date(2026, 11, 21), date(2026, 11, 22)])
consents = st.builds(
    ConsentEntry,
    kind=st.just(ConsentKind.CONSENT),
    giver=givers,
    provisions=st.lists(provisions(st.booleans()), min_size=1, max_size=3).map(tuple),
    until=untils,
)
refusals = st.lists(provisions(st.just(False)), max_size=2).map(tuple)
withdrawals = st.builds(ConsentEntry, kind=st.just(ConsentKind.WITHDRAWAL), giver=givers, provisions=refusals)
objections = st.builds(
    ConsentEntry, kind=st.just(ConsentKind.OBJECTION), giver=givers, provisions=refusals, until=untils
)
entries = st.lists(st.one_of(consents, withdrawals, objections), max_size=6)
services = st.sampled_from(SERVICES)
states = st.builds(
    ConsentState,
    permits=st.sampled_from(Mode),
    refused_from=st.none() | modes,
    explicit=st.sampled_from(Mode),
    entry=st.just(3),
).map(lambda state: replace(state, explicit=min(state.explicit, state.permits)))
situations = st.builds(
    lambda base, consent, involvement, grade: replace(base, consent=consent, involvement=involvement, grade=grade),
    st.sampled_from(CASES),
    states,
    st.builds(
        InvolvementFacts,
        service=services,
        sensitivity=st.sampled_from(Sensitivity),
        max_mode=st.sampled_from(Mode),
    ),
    st.sampled_from([MatchGrade.CERTAIN, MatchGrade.CERTAIN, MatchGrade.PROBABLE]),
)


def replay(said: list[ConsentEntry], service: str) -> ConsentState:
    return effective(
        [replace(entry, seq=seq) for seq, entry in enumerate(said)],
        purpose=Purpose.COORDINATION,
        recipient="childrens-services",
        recipient_type="local-authority",
        service=service,
        today=TODAY,
    )


def width(decision: Decision) -> tuple[int, int]:
    """How much a decision discloses: nothing, perhaps after a review, or up to a mode."""
    match decision:
        case Permit():
            return 2, decision.mode
        case Review():
            return 1, 0
        case Deny():
            return 0, 0


def refused(state: ConsentState) -> int:
    return state.refused_from or Mode.SCHEDULE + 1


def no_wider(after: ConsentState, before: ConsentState) -> bool:
    return after.permits <= before.permits and after.explicit <= before.explicit and refused(after) <= refused(before)


@given(entries, objections, services)
def test_a_further_objection_never_widens(said: list[ConsentEntry], objection: ConsentEntry, service: str) -> None:
    assert no_wider(replay([*said, objection], service), replay(said, service))


@given(entries, withdrawals, services)
def test_a_further_withdrawal_never_widens(said: list[ConsentEntry], withdrawal: ConsentEntry, service: str) -> None:
    assert no_wider(replay([*said, withdrawal], service), replay(said, service))


@given(entries, st.integers(0, 6), objections, services)
def test_an_earlier_objection_never_widens(
    said: list[ConsentEntry], at: int, objection: ConsentEntry, service: str
) -> None:
    assert no_wider(replay([*said[:at], objection, *said[at:]], service), replay(said, service))


@given(entries, st.integers(0, 6), consents, services)
def test_a_consent_that_has_ended_never_widens(
    said: list[ConsentEntry], place: int, consent: ConsentEntry, service: str
) -> None:
    ended = replace(consent, until=date(2026, 11, 21))
    assert no_wider(replay([*said[:place], ended, *said[place:]], service), replay(said, service))


@given(entries, consents, services)
def test_who_consents_and_withdraws_is_no_less_protected_than_before(
    said: list[ConsentEntry], consent: ConsentEntry, service: str
) -> None:
    withdrawal = ConsentEntry(kind=ConsentKind.WITHDRAWAL, giver=consent.giver)
    assert no_wider(replay([*said, consent, withdrawal], service), replay(said, service))


@given(entries, services)
def test_general_withdrawal_leaves_no_consent(said: list[ConsentEntry], service: str) -> None:
    state = replay([*said, ConsentEntry(kind=ConsentKind.WITHDRAWAL)], service)
    assert (state.permits, state.explicit, state.entry) == (Mode.NONE, Mode.NONE, None)


@given(entries, consents, services)
def test_a_representative_never_widens_what_the_person_set(
    said: list[ConsentEntry], consent: ConsentEntry, service: str
) -> None:
    parent = replace(consent, giver=Giver(relation=Relation.PARENT, reference="p3"))
    own = [entry for entry in said if entry.giver == Giver()]
    state = replay([*own, parent], service)
    before = replay(own, service)
    assert refused(state) <= refused(before)
    assert state.explicit <= before.explicit
    if before.permits or any(entry.kind is ConsentKind.WITHDRAWAL and not entry.provisions for entry in own):
        assert state.permits <= before.permits


@given(entries, services)
def test_a_consent_rests_on_an_entry(said: list[ConsentEntry], service: str) -> None:
    state = replay(said, service)
    assert (state.entry is not None) == (state.permits is not Mode.NONE)
    assert state.explicit <= state.permits
    assert state.entry is None or said[state.entry].kind is ConsentKind.CONSENT


@given(st.one_of(consents, withdrawals, objections))
def test_an_entry_reads_back_as_written(entry: ConsentEntry) -> None:
    assert from_body(-1, entry.kind, to_body(entry)) == entry


@settings(max_examples=300)
@given(situations, states)
def test_less_consent_or_more_objection_never_widens_a_decision(situation, other) -> None:  # type: ignore[no-untyped-def]  # drawn
    consent = situation.consent
    narrower = ConsentState(
        permits=min(consent.permits, other.permits),
        refused_from=Mode(least) if (least := min(refused(consent), refused(other))) <= Mode.SCHEDULE else None,
        explicit=min(consent.explicit, other.explicit),
        entry=3,
    )
    assert width(decide(replace(situation, consent=narrower))) <= width(decide(situation))


@settings(max_examples=300)
@given(situations)
def test_every_permit_names_its_rule_and_stays_under_every_cap(situation) -> None:  # type: ignore[no-untyped-def]  # drawn
    decision = decide(situation)
    if isinstance(decision, Permit):
        (rule,) = [rule for rule in situation.agreement.rules if rule.id == decision.rule]
        caps = [rule.mode, situation.question.mode, situation.involvement.max_mode]
        if rule.needs_consent:
            caps.append(situation.consent.permits)
            assert decision.consent is not None
        assert Mode.NONE < decision.mode <= min(caps)
        shielded = situation.involvement.sensitivity is not Sensitivity.NORMAL
        if shielded and situation.question.purpose is not Purpose.BREAK_GLASS:
            assert decision.mode <= max(situation.consent.explicit, Mode.CALLBACK)


def situation_of(document: dict[str, Any], facts: dict[str, Any]) -> DecisionInputs:
    agreement = read_agreement(toml_text(document).encode(), "generated.toml")
    return replace(inputs({**facts, "agreement": "none"}), agreement=agreement)


def after(situation: DecisionInputs, facts: dict[str, Any], consents: list[dict[str, Any]]) -> Decision:
    return decide(replace(situation, consent=inputs({**facts, "agreement": "none", "consents": consents}).consent))


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_what_a_person_adds_as_objection_or_withdrawal_never_widens_an_answer(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a draw that can be drawn again
    facts = some_facts(chance)
    situation = situation_of(some_agreement(chance), facts)
    before = decide(situation)
    said = facts["consents"]
    for kind in ("objection", "withdrawal"):
        further = some_entry(chance, kind)
        assert width(after(situation, facts, [*said, further])) <= width(before), further
        assert width(after(situation, facts, [*said, {"kind": kind}])) <= width(before)


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_without_their_consents_nobody_is_disclosed_more(seed: int) -> None:
    """Of one consent alone this does not hold: a later, narrower one replaces what was permitted before it."""
    chance = random.Random(seed)  # noqa: S311 - a draw that can be drawn again
    facts = some_facts(chance)
    for entry in facts["consents"]:  # a refusal within a consent is an objection, which may not be removed
        if entry["kind"] == "consent":
            entry["provisions"] = [{**line, "permit": True} for line in entry["provisions"]]
    situation = situation_of(some_agreement(chance), facts)
    kept = [entry for entry in facts["consents"] if entry["kind"] != "consent"]
    assert width(after(situation, facts, kept)) <= width(decide(situation))


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_a_denial_beats_whatever_else_applies(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a draw that can be drawn again
    document, facts = some_agreement(chance), some_facts(chance)
    situation = situation_of(document, facts)
    denial = {
        "id": "denial",
        "effect": "deny",
        "purposes": [facts["question"]["purpose"]],
        "lawful_bases": [facts["question"]["lawful_basis"]],
        "recipients": [facts["asker"]["id"]],
        "services": ["*"],
        "sensitivity": [facts["involvement"]["sensitivity"]],
    }
    rules = list(document["rule"])
    rules.insert(chance.randint(0, len(rules)), denial)
    decision = decide(situation_of({**document, "rule": rules}, facts))
    assert isinstance(decision, Deny)
    before = decide(situation)
    assert decision.reason is Reason.DENIED_BY_RULE or decision == before


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_every_permit_rests_on_a_permit_rule_its_consent_and_no_silenced_objection(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a draw that can be drawn again
    document, facts = some_agreement(chance), some_facts(chance)
    situation = situation_of(document, facts)
    decision = decide(situation)
    if not isinstance(decision, Permit):
        return
    assert situation.agreement is not None
    (rule,) = [rule for rule in situation.agreement.rules if rule.id == decision.rule]
    assert rule.effect is Effect.PERMIT
    assert decision.mode <= min(rule.mode, situation.question.mode, situation.involvement.max_mode)
    if rule.needs_consent:
        assert decision.consent is not None
        assert facts["consents"][decision.consent]["kind"] == "consent"
    objected = decision.mode >= refused(situation.consent)
    assert objected == decision.against_objection
    assert not objected or rule.on_objection is OnObjection.PROCEED
