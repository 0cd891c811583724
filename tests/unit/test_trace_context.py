"""The trace of a question: its id is the question's, and nothing else can be put there."""

from dataclasses import replace
from uuid import uuid4

import pytest

from gateway.telemetry.trace_context import is_traced, parent_of, traced, traceparent
from gateway.telemetry.watch import HubWatch, NodeWatch
from gateway.wire.envelope import Envelope, SealedCopy

QUESTION = "7f0c1a52-5f0e-4d3a-9d6b-0a1b2c3d4e5f"
HEADER = "00-7f0c1a525f0e4d3a9d6b0a1b2c3d4e5f-00000000000000ff-01"


def test_the_header_is_that_of_w3c_with_the_questions_id() -> None:
    assert traceparent(QUESTION, 255) == HEADER
    assert parent_of(HEADER, QUESTION) == 255
    assert traced(HEADER) == {"traceparent": HEADER}


@pytest.mark.parametrize(
    "header",
    [
        "",
        HEADER.replace("7f0c", "7f0d"),  # of another question: it would join what nobody may join
        HEADER.replace("00-7f", "01-7f"),
        HEADER.upper(),
        HEADER + "-x",
        HEADER + "\n",
        HEADER.replace("00000000000000ff", "0000000000000000"),
        "00-" + "0" * 32 + "-00000000000000ff-01",
    ],
)
def test_any_other_header_is_as_none(header: str) -> None:
    assert parent_of(header, QUESTION) is None


def test_the_share_of_questions_that_are_traced_is_the_share_asked_for() -> None:
    ids = [str(uuid4()) for _ in range(2000)]
    assert all(is_traced(each, 1.0) for each in ids)
    assert not any(is_traced(each, 0.0) for each in ids)
    assert 0.4 < sum(is_traced(each, 0.5) for each in ids) / len(ids) < 0.6
    assert not is_traced("00000000-0000-0000-0000-000000000000", 1.0)  # W3C has no such trace


def test_a_traced_question_is_no_byte_longer_in_what_is_signed_and_sealed() -> None:
    copy = SealedCopy(kid="k", sealed=b"sealed")
    envelope = Envelope(id=QUESTION, deadline_ms=1000, body=b"body", copies={"housing": copy})
    assert replace(envelope, traceparent=HEADER).to_json() == envelope.to_json()


def test_nothing_goes_along_while_nobody_traces() -> None:
    assert NodeWatch().asking(QUESTION, members=2).traceparent == ""
    assert HubWatch().relaying(QUESTION, asker="housing", traceparent=HEADER).sending("police") == ""
