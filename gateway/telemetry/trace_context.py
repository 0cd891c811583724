"""The trace of a question on the wire (docs/wire.md, "Traces"): W3C Trace Context whose trace id is the question's id.

Nobody can put anything else into a trace id, and it links nothing that the question's id does not link already.
"""

import re
from typing import Final
from uuid import UUID

HEADER: Final = "traceparent"
TRACEPARENT_CHARS: Final = 55
_FORM = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01")
_RANDOM_BITS: Final = 56  # the last of a UUID, and of a trace id as W3C would have it


def trace_id(question: str) -> int:
    """The trace id of a question's id, which is a UUID; 0 is none."""
    return UUID(question).int


def traceparent(question: str, span: int) -> str:
    """The header's value for what is sent within `span`."""
    return f"00-{trace_id(question):032x}-{span:016x}-01"


def traced(value: str) -> dict[str, str]:
    """The header, or none."""
    return {HEADER: value} if value else {}


def parent_of(header: str, question: str) -> int | None:
    """The sender's span; None unless the header is in form and of this very question."""
    match = _FORM.fullmatch(header)
    if match is None or int(match[1], 16) != trace_id(question):
        return None
    return int(match[2], 16) or None


def is_traced(question: str, share: float) -> bool:
    """Whether a question is among the `share` that is traced: parties with the same share trace the same ones."""
    return trace_id(question) != 0 and trace_id(question) % 2**_RANDOM_BITS < share * 2**_RANDOM_BITS
