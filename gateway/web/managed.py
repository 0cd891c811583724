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
                "/manage/cases",
                N_("Cases"),
                N_("Questions that somebody here has to decide, and emergencies to be looked into"),
                (Role.MANAGER, Role.GOVERNANCE),
            ),
            Managed(
                "/manage/problems",
                N_("Reported problems"),
                N_("Wrong numbers, people who left, records that are wrong: what colleagues reported"),
                (Role.MANAGER, Role.ADMINISTRATOR),
            ),
            Managed(
                "/manage/misuse",
                N_("Unusual questions"),
                N_("Questions of a week to ask colleagues about, by who asked"),
                (Role.GOVERNANCE,),
            ),
            Managed(
                "/manage/who-looked",
                N_("Who looked at a client's record"),
                N_("Tell a client who asked about them, and what they were told"),
                (Role.GOVERNANCE,),
            ),
        ),
    ),
    Group(
        N_("Agreements"),
        (
            Managed(
                "/manage/agreements",
                N_("Agreements"),
                N_("Who may learn what, what a new version would change, and whether it would have mattered"),
                (Role.GOVERNANCE, Role.AUDITOR, Role.MANAGER),
            ),
        ),
    ),
    Group(
        N_("What is on record"),
        (
            Managed(
                "/manage/audit",
                N_("Record of questions and answers"),
                N_("Every question, answer and decision: search, and read why"),
                (Role.GOVERNANCE, Role.AUDITOR),
            ),
            Managed(
                "/manage/ledger",
                N_("The ledger"),
                N_("Whether the record is whole, who has signed for it, and proof of single entries"),
                (Role.GOVERNANCE, Role.AUDITOR, Role.ADMINISTRATOR),
            ),
            Managed(
                "/manage/figures",
                N_("Figures"),
                N_("How much Patchwork is used here, without anybody's name"),
                (Role.MANAGER, Role.GOVERNANCE, Role.AUDITOR, Role.ADMINISTRATOR),
            ),
        ),
    ),
    Group(
        N_("People and sources"),
        (
            Managed(
                "/manage/accounts",
                N_("Accounts"),
                N_("Who may sign in, what they may do, and who they are in the register"),
                (Role.ADMINISTRATOR,),
            ),
            Managed(
                "/manage/accounts/changes",
                N_("Changes to accounts"),
                N_("What was done to accounts, by whom and when"),
                (Role.ADMINISTRATOR, Role.AUDITOR),
            ),
            Managed(
                "/manage/feedback",
                N_("Feedback"),
                N_("What people say of these pages, and your answers"),
                (Role.MANAGER, Role.ADMINISTRATOR),
            ),
            Managed(
                "/manage/sources",
                N_("Sources and imports"),
                N_("How old this agency's own data is, and what could not be read"),
                (Role.ADMINISTRATOR, Role.MANAGER, Role.AUDITOR),
            ),
            Managed(
                "/manage/register",
                N_("Your organisation, services and people"),
                N_("For organisations without a case system: type in services, volunteers and staff"),
                (Role.MANAGER, Role.ADMINISTRATOR),
            ),
            Managed(
                "/manage/uploads",
                N_("Upload a list of clients"),
                N_("A spreadsheet becomes clients and who works with them"),
                (Role.MANAGER, Role.ADMINISTRATOR),
            ),
        ),
    ),
    Group(
        N_("The federation"),
        (
            Managed(
                "/manage/federation",
                N_("Members"),
                N_("Who takes part, which keys they have, who waits for this agency's word, and who answers"),
                (Role.ADMINISTRATOR, Role.MANAGER, Role.GOVERNANCE, Role.AUDITOR),
            ),
        ),
    ),
)


def groups_for(user: SignedIn) -> list[Group]:
    """The groups in which somebody may open a page, each with those pages alone."""
    own = (Group(group.text, tuple(each for each in group.pages if user.has(*each.roles))) for group in GROUPS)
    return [group for group in own if group.pages]
