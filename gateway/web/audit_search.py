"""What somebody looks for in the record: days, a member, an account, a kind, an outcome, or one question.

All of it stands in the page's address, so it is codes and ids alone: an account by its public id, never by a name.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from consent_ledger.kinds import ANSWERS, EntryKind
from gateway.days import HOUR_S
from gateway.web.forms import Form
from gateway.web.words import N_
from gateway.web.words import gettext as _

OUTCOMES: Final = {"shared": N_("Something was shared"), "nothing": N_("Nothing was shared")}
FROM, TO, MEMBER, ACCOUNT, KIND, OUTCOME, JTI, BEFORE = (
    "from",
    "to",
    "member",
    "account",
    "kind",
    "outcome",
    "jti",
    "before",
)
DAYS: Final = 7  # that are looked at unless somebody says otherwise

_DATES: Final = tuple(f"{name}-{part}" for name in (FROM, TO) for part in ("day", "month", "year"))
_FIELDS: Final = (*_DATES, MEMBER, ACCOUNT, KIND, OUTCOME, JTI)
_MAX_FIELD: Final = 100  # characters; a member's id has 48, an account's 32
_JTI: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One search; an empty field asks for everything. `first` and `last` are days (UTC), both included."""

    first: date
    last: date
    me: str
    member: str
    account: str
    kind: str
    outcome: str
    jti: str

    @property
    def hours(self) -> tuple[int, int]:
        """The first and the last hour (since 1970) of these days."""
        return _hour(self.first), _hour(self.last + timedelta(days=1)) - 1

    def wants(self, body: Mapping[str, Any]) -> bool:
        """Whether an opened entry is looked for. Fillers say nothing, and are found by their kind alone."""
        kind = body["kind"]
        return (
            (kind == self.kind if self.kind else kind != EntryKind.FILLER)
            and (not self.jti or body.get("jti") == self.jti)
            and (not self.member or self.member in _members(body))
            and (not self.account or self.account in _officers(body, self.me))
            and (not self.outcome or (kind in ANSWERS and (body["outcome"] == "teams") is (self.outcome == "shared")))
        )


def form_of_query(query: Mapping[str, str], today: date) -> Form:
    """The fields as an address has them; the last seven days if it has none."""
    fields = {name: [query[name][:_MAX_FIELD]] for name in _FIELDS if name in query}
    if not any(name in fields for name in _DATES):
        first = today - timedelta(days=DAYS - 1)
        for name, day in ((FROM, first), (TO, today)):
            parts = {"day": day.day, "month": day.month, "year": day.year}
            fields |= {f"{name}-{part}": [str(value)] for part, value in parts.items()}
    return Form(fields=fields)


def read_search(form: Form, *, me: str, members: Collection[str]) -> Search | None:
    """What to look for; None, with errors on the form, if that cannot be."""
    first = form.date(FROM, missing=_("Enter the first day"))
    last = form.date(TO, missing=_("Enter the last day"))
    jti = form.raw(JTI).strip().lower()
    if jti and not _JTI.fullmatch(jti):
        form.wrong(JTI, _("A question's id looks like 7f0c1a52-5f0e-4d3a-9d6b-0a1b2c3d4e5f"))
    if first is not None and last is not None and last < first:
        form.wrong(TO, _("The last day must not be before the first"))
    if first is None or last is None or form.errors:
        return None
    return Search(
        first=first,
        last=min(last, date(9998, 12, 31)),
        me=me,
        member=form.choice(MEMBER, members),
        account=form.line(ACCOUNT, max_length=_MAX_FIELD),
        kind=form.choice(KIND, list(EntryKind)),
        outcome=form.choice(OUTCOME, OUTCOMES),
        jti=jti,
    )


def _hour(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // HOUR_S


def _members(body: Mapping[str, Any]) -> Collection[str]:
    """Who asked, who was asked, who answered."""
    asker = body.get("asker")
    return {*([asker["member"]] if asker else []), *(body.get("recipients") or ()), *(body.get("outcomes") or ())}


def _officers(body: Mapping[str, Any], me: str) -> Collection[str]:
    """Who of this agency did it, by id."""
    asker = body.get("asker")
    ours = [asker["practitioner"]] if asker and asker["member"] == me else []
    return {*ours, str(body.get("by", "")), str(body.get("recorded_by", ""))}
