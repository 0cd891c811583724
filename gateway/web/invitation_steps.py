"""How an invitation ends: with an answer, or with none in time. Whoever sent it is told either way."""

from gateway.accounts.invitations import Decline, Invitation, State, end, expire
from gateway.accounts.notices import Kind, mark_about, tell
from gateway.database.contract import Work
from gateway.web.site import Site


def end_invitation(site: Site, invitation: Invitation, state: State, reason: Decline | None = None) -> Work[bool]:
    """End one and tell the inviter; False if it was not open any more."""
    if not (yield from end(invitation.public_id, state, site.now(), reason=reason)):
        return False
    yield from _tell_inviter(site, invitation, state)
    return True


def end_invitations(site: Site) -> Work[None]:
    """Those that nobody answered have run out."""
    for each in (yield from expire(site.now())):
        yield from _tell_inviter(site, each, State.EXPIRED)


def _tell_inviter(site: Site, invitation: Invitation, state: State) -> Work[None]:
    """What became of it; and whoever was invited has nothing more to do."""
    now = site.now()
    yield from mark_about(invitation.to_account, invitation.public_id, now)
    yield from tell(
        invitation.from_account,
        Kind.INVITATION,
        state.value,
        now=now,
        alerting=site.alerting,
        person_id=invitation.person_id,
        item=invitation.public_id,
    )
