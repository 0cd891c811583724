"""A draft of an agreement before anybody signs it: in words, with what lint says, and against what is in force.

It is kept in memory for this session alone, and changes nothing.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.errors import ConfigurationError, TooManyRequests
from gateway.fhir.text import plain
from gateway.policy.agreement import Agreement, read_agreement
from gateway.policy.compare import Comparison
from gateway.policy.explain import HEADINGS
from gateway.policy.toml_line import line_of
from gateway.web.agreement_reading import Explained, compared, explained
from gateway.web.agreements import PATH, in_force_like, known_agreements
from gateway.web.background import Job
from gateway.web.forms import Form, form_of
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _
from gateway.wire.limits import MAX_AGREEMENT_BYTES

DRAFT_PATH: Final = f"{PATH}/draft"
KIND: Final = "agreement-draft"
FILE: Final = "file"
AT_ONCE: Final = 2  # officers who may have a draft looked at in the same seconds
_MAX_BYTES: Final = MAX_AGREEMENT_BYTES + 8 * 1024  # with the rest of the form
_MAX_SAID: Final = 400  # characters of an error

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft, explained, and compared with the version that it would follow, if there is one.

    `party`: whether this agency is one; else none of its questions can be replayed. `former` is that version's id.
    """

    agreement: Agreement
    party: bool
    explained: Explained
    former: str
    former_version: str
    comparison: Comparison | None


@routes.get(DRAFT_PATH)
@page(Role.GOVERNANCE)
async def show_form(request: web.Request, _site: Site, _user: SignedIn) -> web.StreamResponse:
    """Choose a file."""
    return render(request, "agreement_draft_form.html", form=Form())


@routes.post(DRAFT_PATH)
@page(Role.GOVERNANCE, max_bytes=_MAX_BYTES)
async def take_draft(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Read the file, and have it looked at."""
    form = form_of(request)
    agreement = _read(form)
    if agreement is None:
        return render(request, "agreement_draft_form.html", status=400, form=form)

    async def work(_job: Job) -> Draft:
        former = in_force_like(await known_agreements(site), agreement)
        return Draft(
            agreement=agreement,
            party=site.node.me.member in agreement.members,
            explained=await explained(site, agreement),
            former=former.id if former else "",
            former_version=former.agreement.version if former else "",
            comparison=await compared(site, former.agreement, agreement) if former else None,
        )

    try:
        job = site.background.start(KIND, work, owner=user.session.public_id, most=AT_ONCE)
    except TooManyRequests:
        form.wrong(FILE, _("Another draft is being looked at. Wait a few seconds, then try again."))
        return render(request, "agreement_draft_form.html", status=429, form=form)
    raise web.HTTPSeeOther(f"{DRAFT_PATH}/{job.id}")


@routes.get(DRAFT_PATH + "/{id}")
@page(Role.GOVERNANCE)
async def show_draft(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What there is to say of it."""
    job = draft_of(request, site, user)
    return render(request, "agreement_draft.html", job=job, draft=job.result, headings=HEADINGS, form=Form())


def draft_of(request: web.Request, site: Site, user: SignedIn) -> Job:
    """The draft of an address, if this session sent it and it is still kept; else 404."""
    job = site.background.get(request.match_info["id"], kind=KIND, owner=user.session.public_id)
    if job is None:
        raise web.HTTPNotFound
    return job


def _read(form: Form) -> Agreement | None:
    """The file, or what is wrong with it: the key, and the line where it can be told."""
    upload = form.files.get(FILE)
    if upload is None:
        form.wrong(FILE, _("Choose the TOML file of the draft"))
        return None
    try:
        return read_agreement(upload.content, "draft")
    except ConfigurationError as error:
        said = str(error)
    line = line_of(upload.content.decode("utf-8", "replace"), said)
    said = plain(said.removeprefix("draft: "))[:_MAX_SAID]
    form.wrong(FILE, _("Line %(line)s: %(said)s") % {"line": line, "said": said} if line else said)
    return None
