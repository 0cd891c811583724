"""The hub's quick way of writing members' envelopes is the wire's own form."""

from gateway.wire.envelope import member_envelope, member_envelopes_json
from gateway.wire.request import HashedBody
from tests.hub.kit import ASKER, envelope


def test_envelopes_written_together_equal_those_written_one_by_one() -> None:
    question = envelope("housing", "police", "school")
    together = dict(member_envelopes_json(question, ASKER))
    assert together == {
        member: HashedBody.of(member_envelope(question, member, ASKER).to_json())
        for member in ("housing", "police", "school")
    }
