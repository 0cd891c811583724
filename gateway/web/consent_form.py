"""The form in which somebody's word on sharing is recorded, step by step; what was filled in travels with the form.

(1) who: who says it, and how
(2) what: how much, and to which agencies
(3) limits: for which reasons, from which of our services, until when
(4) check: read it out, look at it once more, record it

Nothing is chosen beforehand in an agreement. An objection and a withdrawal begin with everything, which protects most.
"""

import calendar
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from consent_ledger.consent import ConsentEntry, ConsentKind, Giver, Relation
from gateway.errors import InputError
from gateway.node.consent_form import PERMITTED, REFUSED, Scope, check_last_day, check_recipients, permitted, refused
from gateway.web.consent_words import METHODS, REASONS, Names
from gateway.web.forms import Form
from gateway.web.words import N_
from gateway.web.words import gettext as _
from mappings.vocabulary import Mode, OrganisationType, Purpose

STEPS: Final = ("who", "what", "limits", "check")
RECORD: Final = "record"  # after the last step
MAX_REFERENCE: Final = 100
_MAX_CARRIED: Final = 200  # characters of a field that travels; no field of ours is longer
_MAX_VALUES: Final = 300  # of one field: more than a federation has agencies that a page can list

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "who": ("relation", "reference", "method", "interpreter"),
    "what": ("mode", "whom", "agency"),
    "limits": ("reasons", "reason", "services", "service", "until", "day-day", "day-month", "day-year"),
}
ENDS: Final[Mapping[str, tuple[str, int]]] = {  # months from today
    "3-months": (N_("In 3 months"), 3),
    "1-year": (N_("In a year"), 12),
    "3-years": (N_("In 3 years"), 36),
}
OFFERED_REASONS: Final = tuple(each for each in REASONS if each is not Purpose.BREAK_GLASS)
KINDS: Final = {  # the last part of the address
    "record": ConsentKind.CONSENT,
    "object": ConsentKind.OBJECTION,
    "withdraw": ConsentKind.WITHDRAWAL,
}
_EVERYTHING: Final = {"mode": ["callback"], "whom": ["all"], "reasons": ["all"], "services": ["all"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What may be chosen: `references` of representatives whom the viewer has named before."""

    kind: ConsentKind
    names: Names
    references: Collection[str]
    today: date

    @property
    def agencies(self) -> list[str]:
        """Codes of kinds of agency, then of agencies."""
        return [*OrganisationType, *self.names.members]


def empty_form(kind: ConsentKind) -> Form:
    """As the first step shows it."""
    return Form(fields={} if kind is ConsentKind.CONSENT else dict(_EVERYTHING))


def read_steps(form: Form, offer: Offer, *, before: str) -> tuple[str, ConsentEntry | None]:
    """The step to show, which is the first that is not filled in; and the entry, once every step is.

    `before` is the step that is asked for: only those before it are read.
    """
    giver, method = Giver(), ""
    mode = Mode.NONE
    to: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    if before != "who":
        giver, method = _who(form, offer)
        if form.errors:
            return "who", None
    if before not in {"who", "what"}:
        mode, to, but = _what(form, offer)
        if form.errors:
            return "what", None
    if before not in FIELDS:
        scope, until = _limits(form, offer, to, but)
        if form.errors:
            return "limits", None
        provisions = permitted(mode, scope) if offer.kind is ConsentKind.CONSENT else refused(mode, scope)
        entry = ConsentEntry(kind=offer.kind, giver=giver, provisions=provisions, until=until, method=method)
        check_recipients(entry, offer.names.members)
        return "check", entry
    return before, None


def carried(form: Form, step: str) -> list[tuple[str, str]]:
    """What was filled in elsewhere, as hidden fields of this step's page."""
    fields = [field for owner, names in FIELDS.items() if owner != step for field in names]
    return [(field, value[:_MAX_CARRIED]) for field in fields for value in form.values(field)[:_MAX_VALUES]]


def end_of(today: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    year, month = divmod(today.month - 1 + months, 12)
    year, month = today.year + year, month + 1
    return date(year, month, min(today.day, calendar.monthrange(year, month)[1]))


def _who(form: Form, offer: Offer) -> tuple[Giver, str]:
    said = form.choice("relation", list(Relation), missing=_("Select who says this"))
    method = form.choice("method", list(METHODS), missing=_("Select how they said it"))
    interpreted = form.ticked("interpreter")
    words = ", ".join([METHODS[method], *(["with an interpreter"] if interpreted else [])]) if method else ""
    if said in {"", Relation.PERSON}:
        if said and form.line("reference", max_length=MAX_REFERENCE):
            form.wrong("reference", _("Leave this empty if the person themselves says it"))
        return Giver(), words
    missing = _("Enter which parent, guardian or attorney, as in “mother”")
    reference = form.line("reference", max_length=MAX_REFERENCE, missing=missing)
    if reference and not reference.isprintable():
        form.wrong("reference", _("Use letters and numbers that can be printed"))
    if form.errors:
        return Giver(), words
    same = {each.casefold(): each for each in offer.references}
    return Giver(relation=Relation(said), reference=same.get(reference.casefold(), reference)), words


def _what(form: Form, offer: Offer) -> tuple[Mode, tuple[str, ...], tuple[str, ...]]:
    consents = offer.kind is ConsentKind.CONSENT
    missing = _("Select how much may be told") if consents else _("Select what may not be told")
    chosen = form.choice("mode", [each.code for each in (PERMITTED if consents else REFUSED)], missing=missing)
    whom = form.choice("whom", ("all", "some", "but"), missing=_("Select which agencies this is about"))
    named = tuple(form.choices("agency", offer.agencies))
    if whom == "all" and named:  # they may have meant "except": nothing that was ticked is dropped in silence
        form.wrong(
            "whom",
            _(
                "You chose every agency and ticked some. Choose “Only those that I tick below” or "
                "“Every agency except those that I tick below”, or untick them"
            ),
        )
    if whom in {"some", "but"} and not named:
        form.wrong("agency", _("Tick the agencies, or kinds of agency, that you mean"))
    mode = Mode.from_code(chosen) if chosen else Mode.NONE
    return mode, named if whom == "some" else (), named if whom == "but" else ()


def _limits(form: Form, offer: Offer, to: tuple[str, ...], but: tuple[str, ...]) -> tuple[Scope, date | None]:
    reasons = form.choice("reasons", ("all", "some"), missing=_("Select for which reasons"))
    purposes = tuple(Purpose(each) for each in form.choices("reason", OFFERED_REASONS))
    if reasons == "all" and purposes:
        form.wrong(
            "reasons",
            _("You chose every reason and ticked some. Choose “Only those that I tick below”, or untick them"),
        )
    if reasons == "some" and not purposes:
        form.wrong("reason", _("Tick the reasons that you mean"))
    about = form.choice("services", ("all", "own"), missing=_("Select which of our services this is about"))
    services = tuple(form.choices("service", list(offer.names.services)))
    if about == "all" and services:
        form.wrong("services", _("You chose all our services and ticked some. Choose one or the other"))
    if about == "own" and not services:
        form.wrong("service", _("Tick the services that you mean"))
    until = _until(form, offer) if offer.kind is ConsentKind.CONSENT else None
    if form.errors:
        return Scope(), None
    try:
        return Scope(to=to, but=but, services=services, purposes=purposes), until
    except InputError:
        form.wrong("services", _("Name fewer agencies or services"))
        return Scope(), None


def _until(form: Form, offer: Offer) -> date | None:
    chosen = form.choice("until", (*ENDS, "day", "none"), missing=_("Select when this ends"))
    if chosen not in {"", "day"} and any(form.raw(f"day-{part}").strip() for part in ("day", "month", "year")):
        form.wrong("until", _("You typed a last day. Choose “On the day below”, or empty the day"))
    if chosen in ENDS:
        return end_of(offer.today, ENDS[chosen][1])
    day = form.date("day", missing=_("Enter the last day")) if chosen == "day" else None
    try:
        check_last_day(day, offer.today)
    except InputError:
        form.wrong("day", _("The last day must be today or later"))
    return day
