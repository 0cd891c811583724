"""What stands in the line below the agency's name: one line for each page that people go to by themselves."""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from gateway.accounts.account import Role
from gateway.web.mail_text import ALERTS_PATH
from gateway.web.signed_in import SignedIn
from gateway.web.words import N_, gettext, ngettext


@dataclass(frozen=True, slots=True)
class Entry:
    """A link, for accounts with any of these roles (none: for all). `begins`: their work may begin there."""

    path: str
    text: str
    roles: tuple[Role, ...] = ()
    begins: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as the macro of the service navigation takes it; `html` in place of the text where there is more."""

    href: str
    text: str
    active: bool
    html: Markup | None = None


NOTICES_PATH: Final = "/notices"


MANAGE_PATH = "/manage"  # pages for other work than a practitioner's stand below it, and in managed.py

# In the order in which they are shown; the first that somebody may open is where they begin.
NAVIGATION = (
    Entry("/search", N_("Find who to call"), (Role.PRACTITIONER,)),
    Entry("/clients", N_("My clients"), (Role.PRACTITIONER,)),
    Entry(NOTICES_PATH, N_("Notices"), begins=False),
    Entry("/colleagues", N_("Colleagues"), (Role.PRACTITIONER,)),
    Entry("/me", N_("My details"), (Role.PRACTITIONER,)),
    Entry(MANAGE_PATH, N_("Manage"), (Role.MANAGER, Role.GOVERNANCE, Role.ADMINISTRATOR, Role.AUDITOR)),
    Entry("/account", N_("Your account")),
)


def navigation_of(user: SignedIn | None, path: str) -> list[Link]:
    """The links that somebody may follow; none before they have signed in."""
    if user is None:
        return []
    return [
        Link(
            entry.path,
            gettext(entry.text),
            entry.path == _section(path),
            _counted(gettext(entry.text), user.unread) if entry.path == NOTICES_PATH and user.unread else None,
        )
        for entry in entries_of(user)
    ]


def _section(path: str) -> str:
    """The entry that a page stands below."""
    if path.startswith(ALERTS_PATH):
        return NOTICES_PATH
    return "/" + path.split("/")[1]


def entries_of(user: SignedIn) -> list[Entry]:
    """The entries for somebody's roles."""
    return [entry for entry in NAVIGATION if user.has(*entry.roles)]


def _counted(text: str, number: int) -> Markup:
    """With the number that is new, which those who hear the page are told in words."""
    heard = ngettext("%(number)s unread", "%(number)s unread", number) % {"number": number}
    seen = Markup('{} <span class="pw-count" aria-hidden="true">{}</span>').format(text, number)
    return seen + Markup('<span class="govuk-visually-hidden">({})</span>').format(heard)
