"""Who asked, as it goes on record at both ends."""

from consent_ledger.entries import Asker
from gateway.wire.query import Query


def asker_of(query: Query) -> Asker:
    """The practitioner whom a question names, and their member."""
    practitioner = query.practitioner
    return Asker(
        member=query.issuer,
        practitioner=practitioner.id,
        name=practitioner.name,
        role=practitioner.role,
        organisation=practitioner.organisation,
    )
