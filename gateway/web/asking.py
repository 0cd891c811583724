"""What searching and breaking the glass have in common: who asks, the question, and sending it on its way."""

from consent_ledger.read import accepted_agreements
from gateway.errors import FederationError, InputError, TooManyRequests
from gateway.node.agreements import NobodyToAsk
from gateway.node.question import BreakGlass, Question
from gateway.web.forms import Form
from gateway.web.reasons import Reason, reasons
from gateway.web.searches import Search
from gateway.web.signed_in import SignedIn
from gateway.web.site import Site
from gateway.web.words import gettext as _
from gateway.wire.query import AskingPractitioner, Subject
from mappings.vocabulary import Purpose

DEADLINE_MS = 4_000  # how long agencies have: whoever looks at the page has seen the quick ones long before


async def offered(site: Site, user: SignedIn, *purposes: Purpose) -> dict[str, Reason] | None:
    """The reasons for which somebody can be asked now, by value; without `purposes` all but breaking the glass.

    None while this node holds no federation document that it may rely on.
    """
    accepted = await site.database.read(accepted_agreements(site.node.me.federation))
    try:
        view = site.node.membership.current()
    except FederationError:
        return None
    method = user.session.method
    return reasons(view, accepted=accepted, today=site.today(), method=method, purposes=purposes or None)


def question_of(
    site: Site, user: SignedIn, subject: Subject, reason: Reason, broken: BreakGlass | None = None
) -> Question:
    """The question in the name of whoever is signed in."""
    account = user.account
    ways = (("phone", account.phone), ("email", account.email))
    return Question(
        subject=subject,
        practitioner=AskingPractitioner(
            id=user.id,
            name=account.name,
            role=account.job_role,
            organisation=site.node.me.member,
            telecom=tuple((system, value) for system, value in ways if value),
        ),
        auth_method=user.session.method,
        auth_time=int(user.session.auth_time),
        purpose=reason.purpose,
        lawful_basis=reason.basis,
        break_glass=broken,
        deadline_ms=DEADLINE_MS,
    )


async def ask_or_say(
    site: Site, user: SignedIn, question: Question, form: Form, field: str, *, draft: str = ""
) -> Search | None:
    """Send it on its way, a draft once; None if it was refused, and then `form` says why, at `field`."""
    try:
        return await site.searches.start(question, owner=user.session.public_id, draft=draft)
    except NobodyToAsk:
        form.wrong(field, _("No agency can be asked for this reason any more: choose another"))
    except (InputError, FederationError):
        form.wrong(
            field,
            _("This agency cannot ask others at the moment. Tell whoever looks after Patchwork at your agency"),
        )
    except TooManyRequests:
        form.wrong(field, _("Some of your searches are still under way: wait a few seconds, then search again"))
    return None
