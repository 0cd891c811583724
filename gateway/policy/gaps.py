"""What an agreement leaves out, or says in an unusual way. Pure. Each check is a few lines; see docs/policy.md."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from gateway.policy.agreement import EVERYONE, Agreement, Effect, OnObjection, Rule
from gateway.policy.findings import Finding, Severity
from gateway.policy.words import PURPOSES, SENSITIVITY, listed, purposes
from mappings.vocabulary import AuthMethod, LawfulBasis, OrganisationType, Purpose, Sensitivity

_PUBLIC_AUTHORITIES: Final = (
    OrganisationType.LOCAL_AUTHORITY,
    OrganisationType.NHS_TRUST,
    OrganisationType.POLICE,
    OrganisationType.FIRE,
)
_URGENT: Final = (Purpose.SAFEGUARDING, Purpose.EMERGENCY_TREATMENT, Purpose.BREAK_GLASS)


def gaps(agreement: Agreement, *, today: date | None) -> Iterator[Finding]:
    """Gaps of the whole first, then each rule's; `today` None leaves the dates out."""
    yield from _whole(agreement, today)
    for rule in agreement.rules:
        if rule.effect is Effect.PERMIT:
            yield from _permit(rule)
        if rule.effect is not Effect.DENY:
            yield from _basis(rule)


def _whole(agreement: Agreement, today: date | None) -> Iterator[Finding]:
    opening = [rule for rule in agreement.rules if rule.effect is not Effect.DENY]
    if not opening:
        yield Finding(Severity.WARNING, (), "No rule permits anything: under this agreement nothing is ever disclosed.")
        return
    for purpose in agreement.purposes:
        if not any(purpose in rule.purposes for rule in opening):
            said = f"No rule serves its purpose {PURPOSES[purpose]}: whoever asks for that learns nothing."
            yield Finding(Severity.WARNING, (), said)
    for code in (Sensitivity.RESTRICTED, Sensitivity.VERY_RESTRICTED):
        if not any(code in rule.sensitivity for rule in opening):
            said = f"Services that are {SENSITIVITY[code]} are never disclosed, not even with the person's own consent."
            yield Finding(Severity.NOTE, (), said)
    unnamed = [rule for rule in opening if not rule.article9_condition]
    shielded = any(set(rule.sensitivity) != {Sensitivity.NORMAL} for rule in unnamed)
    if unnamed:
        said = "No article 9 condition is named, which health services and other special categories need."
        severity = Severity.WARNING if shielded else Severity.NOTE
        yield Finding(severity, tuple(rule.id for rule in unnamed), said)
    if today is not None and agreement.end_date < today:
        yield Finding(
            Severity.WARNING, (), f"It ended on {agreement.end_date}: nothing is disclosed under it any more."
        )


def _permit(rule: Rule) -> Iterator[Finding]:
    """What goes with consent, objection and break-glass."""
    if LawfulBasis.CONSENT in rule.lawful_bases and not rule.needs_consent:
        yield _warning(
            rule,
            "It answers askers who rely on consent, but no consent need be on record here: write needs_consent = true,"
            " or leave the basis consent to a rule that does.",
        )
    if rule.needs_consent and rule.on_objection is not OnObjection.DENY:
        yield _warning(rule, "It needs consent, yet does not stop at an objection: an objection is no consent.")
    if rule.on_objection is OnObjection.PROCEED and not set(rule.purposes) <= set(_URGENT):
        calm = [purpose for purpose in rule.purposes if purpose not in _URGENT]
        yield _warning(
            rule, f"It goes on against the person's objection for {purposes(calm)}, where nothing is urgent."
        )
    if Purpose.BREAK_GLASS in rule.purposes:
        yield from _break_glass(rule)


def _break_glass(rule: Rule) -> Iterator[Finding]:
    if not rule.obligations:
        yield _warning(rule, "It allows break-glass without any obligation on whoever claims it.")
    if rule.min_auth is not AuthMethod.MFA:
        yield _warning(rule, "It allows break-glass without two factors.")
    if len(rule.purposes) > 1:
        yield _warning(rule, "It treats break-glass like other purposes: give break-glass a rule of its own.")


def _basis(rule: Rule) -> Iterator[Finding]:
    """Whom it lets rely on what."""
    if LawfulBasis.LEGITIMATE_INTERESTS in rule.lawful_bases:
        said = [code.value for code in _PUBLIC_AUTHORITIES if code in rule.recipients]
        if said or EVERYONE in rule.recipients:
            who = listed(said, last="or") or "any party"
            yield _warning(rule, f"It lets {who} rely on legitimate interests, which public authorities cannot.")


def _warning(rule: Rule, sentence: str) -> Finding:
    return Finding(Severity.WARNING, (rule.id,), sentence)
