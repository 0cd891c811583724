"""The form on which an officer decides whether a client's report shows an entry (partials/withholding_fields.html).

As `patchwork ledger withhold` and `allow`: left out under one of the law's exemptions and until a day, or shown with a
reason; on record, and the newest decision counts.
"""

from typing import Any, Final

from consent_ledger.errors import LedgerError
from consent_ledger.governance import ReportDecision
from gateway.errors import InputError
from gateway.node.storage_fault import storage_fault
from gateway.reports.withholding import Exemption, check_withheld_until
from gateway.web.forms import Form
from gateway.web.prove import is_fresh, prove_in_form
from gateway.web.signed_in import SignedIn
from gateway.web.site import Site
from gateway.web.words import N_
from gateway.web.words import gettext as _

SHOWN, REASON, EXEMPTION, UNTIL = "shown", "reason", "exemption", "until"
MAX_REASON: Final = 500  # characters

EXEMPTIONS: Final = {
    Exemption.SERIOUS_HARM: N_("Telling it would be likely to do somebody serious harm"),
    Exemption.REFUGE: N_("Telling it could show where somebody lives in hiding"),
    Exemption.POLICE_ENQUIRY: N_("Telling it would hinder a police enquiry"),
    Exemption.CHILD_ABUSE: N_("It is about suspected abuse of a child, and telling it is not in the child's interest"),
    Exemption.COURT: N_("A court has said so"),
    Exemption.OTHERS_RIGHTS: N_("Telling it would harm the rights of somebody else"),
}


def form_context(site: Site, user: SignedIn) -> dict[str, Any]:
    """What the template needs besides the form."""
    return {
        "exemptions": {each.value: _(text) for each, text in EXEMPTIONS.items()},
        "max_reason": MAX_REASON,
        "ask_for_proof": not is_fresh(user, site),
    }


async def put_on_record(form: Form, site: Site, user: SignedIn, seq: int, person_id: int) -> bool | None:
    """Put on record what was decided of entry `seq` of this person; None if that is not done, as `form` says why.

    Else what go_on() takes: whether they proved just now who they are. Raises StorageError.
    """
    decision = _decision(form, site, user, seq)
    proved = await prove_in_form(site, user, form)
    if decision is None or form.errors:
        return None
    try:
        await site.node.ledger.note(decision, person_id)
    except LedgerError as error:
        raise storage_fault(error) from error
    return proved


def _decision(form: Form, site: Site, user: SignedIn, seq: int) -> ReportDecision | None:
    shown = form.choice(SHOWN, ("yes", "no"), missing=_("Select whether reports show it"))
    if not shown:
        return None
    if shown == "yes":
        reason = form.line(REASON, max_length=MAX_REASON, missing=_("Say why it may be shown"))
        return None if form.errors else ReportDecision(about=seq, show=True, reason=reason, by=user.id)
    exemption = form.choice(EXEMPTION, list(Exemption), missing=_("Select why it has to be left out"))
    last = form.date(UNTIL, missing=_("Enter the last day on which it is left out"))
    if last is not None:
        try:
            check_withheld_until(last, site.today())
        except InputError:
            form.wrong(UNTIL, _("Enter a day from today on, at most a year ahead: then it is looked at again"))
    if form.errors or last is None:
        return None
    return ReportDecision(about=seq, show=False, reason=exemption, by=user.id, until=last.isoformat())
