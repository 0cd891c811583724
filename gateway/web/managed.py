"""What stands on the page "Manage": one line for each page of managers, officers, administrators and auditors."""

from dataclasses import dataclass

from gateway.accounts.account import Role
from gateway.web.signed_in import SignedIn
from gateway.web.words import N_


@dataclass(frozen=True, slots=True)
class Managed:
    """A page below /manage: its name, one sentence on what it is for, and the roles that it opens for."""

    path: str
    text: str
    about: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Pages that belong together."""

    text: str
    pages: tuple[Managed, ...]


# In the order in which they are shown; a page's text and about are marked with N_.
GROUPS = (
    Group(
        N_("Cases and clients"),
        (
            Managed(
                "/manage/problems",
                N_("Reported problems"),
                N_("Wrong numbers, people who left, records that are wrong: what colleagues reported"),
                (Role.MANAGER, Role.ADMINISTRATOR),
            ),
        ),
    ),
    Group(N_("Agreements"), ()),
    Group(N_("What is on record"), ()),
    Group(
        N_("People and sources"),
        (
            Managed(
                "/manage/feedback",
                N_("Feedback"),
                N_("What people say of these pages, and your answers"),
                (Role.MANAGER, Role.ADMINISTRATOR),
            ),
        ),
    ),
    Group(N_("The federation"), ()),
)


def groups_for(user: SignedIn) -> list[Group]:
    """The groups in which somebody may open a page, each with those pages alone."""
    own = (Group(group.text, tuple(each for each in group.pages if user.has(*each.roles))) for group in GROUPS)
    return [group for group in own if group.pages]
