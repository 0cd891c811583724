"""Which row of the register an account is. Somebody without one gets a row of their own when they first need it."""

from gateway.accounts.store import add_worker
from gateway.database.contract import Work
from gateway.node.names import typed_name
from gateway.node.native import NATIVE, native_source, store
from gateway.web.signed_in import SignedIn
from gateway.web.site import Site
from mappings.model import ContactPoint, Practitioner


async def own_rows(site: Site, user: SignedIn) -> frozenset[int]:
    """Ids of the rows that are this practitioner; makes one, from their account, if no source has any."""
    if user.local.practitioner_ids:
        return user.local.practitioner_ids
    # First the account's word on who they are: a link that leads nowhere yet harms nobody.
    await site.database.write(add_worker(user.account.id, NATIVE, user.id))
    return frozenset({await site.node.database.write(_make_row(site, user))})


def _make_row(site: Site, user: SignedIn) -> Work[int]:
    account = user.account
    points = [ContactPoint(system="phone", value=account.phone, rank=1)] if account.phone else []
    points += [ContactPoint(system="email", value=account.email, rank=2)] if account.email else []
    own = Practitioner(
        key=user.id,
        name=typed_name(account.name),
        role=account.job_role,
        contact_points=tuple(points),
    )
    source = yield from native_source(site.node.me.federation)
    ids = yield from store(source, own)
    return ids["practitioner", own.key]
