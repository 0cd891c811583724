"""What if: logged questions decided again under a draft. Numbers by rule, and nothing of anybody asked about."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from consent_ledger.read import tree_head
from gateway.accounts.account import Role
from gateway.errors import TooManyRequests
from gateway.node.what_if import Change, Found, replay_ledger
from gateway.policy.explain import HEADINGS
from gateway.policy.what_if import NotReplayed
from gateway.web.agreement_draft import DRAFT_PATH, draft_of
from gateway.web.background import Job
from gateway.web.forms import Form
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _

WHAT_IF_PATH: Final = DRAFT_PATH + "/{id}/what-if"
JOB_PATH: Final = "/manage/agreements/what-if/{id}"
KIND: Final = "what-if"

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class ByRule:
    """Decisions that would change, by the rule that would then decide ("": none does)."""

    rule: str
    disclosed: int  # something, where nothing was
    refused: int  # nothing, where something was
    more: int
    less: int
    other_terms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """All of it; `name` and `version` are the draft's."""

    name: str
    version: str
    found: Found
    rules: tuple[ByRule, ...]
    nobody: int
    other_agreement: int
    incomplete: int

    @property
    def disclosed(self) -> int:
        """Decisions in which something would be told, where nothing was."""
        return sum(each.disclosed for each in self.rules)

    @property
    def refused(self) -> int:
        """Decisions in which nothing would be told, where something was."""
        return sum(each.refused for each in self.rules)


@routes.post(WHAT_IF_PATH)
@page(Role.GOVERNANCE)
async def begin(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Begin to replay; the result has a page of its own."""
    draft_job = draft_of(request, site, user)
    draft = draft_job.result
    if draft is None or not draft.party:
        raise web.HTTPBadRequest

    async def work(job: Job) -> WhatIf:
        head = await site.database.read(tree_head())
        job.total = head.size
        counted: Counter[tuple[str, str]] = Counter()

        def changed(change: Change) -> None:
            counted[change.replayed.after.rule or "", _direction(change)] += 1

        def looked_at(number: int) -> None:
            job.done = number

        found = await replay_ledger(site.node.ledger, draft.agreement, changed=changed, looked_at=looked_at)
        left_out = found.left_out
        return WhatIf(
            name=draft.agreement.name,
            version=draft.agreement.version,
            found=found,
            rules=tuple(_by_rule(rule, counted) for rule in sorted({rule for rule, _direction_ in counted})),
            nobody=left_out[NotReplayed.NOBODY],
            other_agreement=left_out[NotReplayed.OTHER_AGREEMENT],
            incomplete=left_out[NotReplayed.INCOMPLETE],
        )

    try:
        job = site.background.start(KIND, work, owner=user.session.public_id)
    except TooManyRequests:
        form = Form()
        form.wrong("what-if", _("Questions are being replayed already. Try again when that is over."))
        return render(
            request, "agreement_draft.html", status=429, job=draft_job, draft=draft, headings=HEADINGS, form=form
        )
    raise web.HTTPSeeOther(JOB_PATH.format(id=job.id))


@routes.get(JOB_PATH)
@page(Role.GOVERNANCE)
async def show_what_if(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """How far it has come, and then what it came to."""
    job = site.background.get(request.match_info["id"], kind=KIND, owner=user.session.public_id)
    if job is None:
        raise web.HTTPNotFound
    return render(request, "agreement_what_if.html", job=job, result=job.result)


def _direction(change: Change) -> str:
    before, after = change.replayed.before.width, change.replayed.after.width
    if before == after:
        return "other_terms"
    if after > before:
        return "disclosed" if before[0] == 0 else "more"
    return "refused" if after[0] == 0 else "less"


def _by_rule(rule: str, counted: Counter[tuple[str, str]]) -> ByRule:
    return ByRule(
        rule=rule,
        disclosed=counted[rule, "disclosed"],
        refused=counted[rule, "refused"],
        more=counted[rule, "more"],
        less=counted[rule, "less"],
        other_terms=counted[rule, "other_terms"],
    )
