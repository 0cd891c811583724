"""What a node's configuration limits, as the values that the steps of a question and of keeping take."""

from gateway.matching.score import Thresholds
from gateway.node.admission import Admission
from gateway.node.probing import BudgetLimits
from gateway.node.retention import RetentionLimits
from gateway.settings import NodeSettings


def thresholds_of(settings: NodeSettings) -> Thresholds:
    """How sure a node must be of a person, as its configuration has it."""
    return Thresholds(
        disclose_at=settings.matching.disclose_at,
        birth_needed=settings.matching.birth_needed,
        prior=settings.matching.registered_share,
    )


def retention_limits_of(settings: NodeSettings) -> RetentionLimits:
    """How long a node keeps things, as its configuration has it."""
    table = settings.retention
    return RetentionLimits(
        questions_months=table.questions_months,
        officers_years=table.officers_years,
        answers_months=table.answers_months,
        counts_days=table.counts_days,
        rejected_days=table.rejected_days,
    )


def budget_limits_of(settings: NodeSettings) -> BudgetLimits:
    """How often anybody may ask in a day, as a node's configuration has it."""
    budgets = settings.budgets
    return BudgetLimits(
        per_practitioner=budgets.questions_per_practitioner,
        per_member=budgets.questions_per_member,
        break_glass_per_practitioner=budgets.break_glass_per_practitioner,
        break_glass_per_member=budgets.break_glass_per_member,
        per_person=budgets.questions_per_person,
        variants_per_person=budgets.variants_per_person,
    )


def admission_of(settings: NodeSettings, *, federations: int = 1) -> Admission:
    """How many answers may be under way at once, as a node's configuration has it.

    In several federations each has an equal share of the places, and the hub of none can take those of another.
    """
    table = settings.node
    return Admission(
        most=max(1, table.max_in_flight // federations),
        delay_s=table.answer_delay_ms / 1000,
        measured=table.admission == "measured",
        share=1 / federations,
    )
