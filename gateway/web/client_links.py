"""What else there is to do about a client: one line for each page below /clients/{id}, in the order shown there."""

from dataclasses import dataclass

from gateway.accounts.account import Role
from gateway.web.signed_in import SignedIn
from gateway.web.words import N_, gettext


@dataclass(frozen=True, slots=True)
class ClientLink:
    """A page about a client: what follows /clients/{id}, its name, and which accounts may open it (none: all)."""

    suffix: str
    text: str
    roles: tuple[Role, ...] = ()


CONSENT = "/consent"  # comes next when somebody has been added
ADDED = "added"  # in an address: they have just been

CLIENT_LINKS: tuple[ClientLink, ...] = (
    ClientLink(CONSENT, N_("What they say about sharing"), (Role.PRACTITIONER,)),
    ClientLink("/picture", N_("Picture of the team")),
    ClientLink("/household", N_("Household and family")),
    ClientLink("/contact", N_("Next and last contact")),
    ClientLink("/invite", N_("Invite a colleague")),
    ClientLink("/attention", N_("Tell the others")),
    ClientLink("/wrong", N_("Something is wrong here")),
    ClientLink("/leave", N_("I no longer work with this person")),
)


def client_links(user: SignedIn, path: str) -> list[tuple[str, str]]:
    """The links, as (address, text), below a client's `path`."""
    return [(path + link.suffix, gettext(link.text)) for link in CLIENT_LINKS if user.has(*link.roles)]


def after_adding(path: str, user: SignedIn) -> str:
    """Where to go on with somebody who has just been added: to their consent, if there is such a page."""
    wanted = path + CONSENT
    return f"{wanted}?{ADDED}" if wanted in dict(client_links(user, path)) else path
