"""What the hub says of one question, line by line and at the end: whether its account fits together.

A hub may withhold an answer, but not unseen: each recipient has one line, and the signed coverage says the same.
"""

from dataclasses import dataclass, field

from gateway.errors import WireError
from gateway.links.hub_client import CoverageClaim, Relayed
from gateway.wire.coverage import DeliveryOutcome, verify_coverage
from gateway.wire.federation import Federation
from gateway.wire.query import Query


@dataclass(slots=True)
class HubAccount:
    """Lines as they arrive; `lines` by member, `claim` once the coverage has come."""

    query: Query
    lines: dict[str, DeliveryOutcome] = field(default_factory=dict)
    claim: CoverageClaim | None = None
    _invented: bool = False

    def take(self, line: Relayed | CoverageClaim) -> Relayed | None:
        """Note one line, and return it if it is a recipient's first; any other about a member is an invention."""
        if isinstance(line, CoverageClaim):
            self.claim = line
            return None
        if line.member not in self.query.recipients or line.member in self.lines:
            self._invented = True
            return None
        self.lines[line.member] = line.outcome
        return line

    def agrees(self, federation: Federation, now: float) -> bool:
        """Whether the signed claim names our recipients, no others, and for each what its line said."""
        query = self.query
        if self.claim is None or self._invented or self.lines.keys() != set(query.recipients):
            return False
        try:
            claimed = verify_coverage(
                self.claim.token, question=query.jti, me=query.issuer, federation=federation, now=now
            )
        except WireError:
            return False
        return claimed == self.lines
