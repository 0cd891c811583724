"""What the processes of one hub say to each other (gateway/links/siblings.py), over Unix sockets of their own.

    u32 length of the head   u32 length of the body   head: JSON [name, value, ...]   body: bytes, of Ask and Said alone

Both ends are one program in one version, so this is no protocol of docs/wire.md and may change with any release. It is
read strictly all the same: who says anything else is cut off.
"""

import asyncio
import struct
from typing import Final, NamedTuple

import orjson

from gateway.errors import MalformedMessage
from gateway.wire.limits import KIB, MAX_MEMBER_ENVELOPE_BYTES

MAX_HEAD_BYTES: Final = 4 * KIB  # a request token is half of it
MAX_BODY_BYTES: Final = MAX_MEMBER_ENVELOPE_BYTES

_SIZES: Final = struct.Struct("!II")


class Hello(NamedTuple):
    """From who dialled: which process it is."""

    number: int


class Ask(NamedTuple):
    """From who dialled: send this signed question over a link of `member`. `id` is theirs, for this connection."""

    id: int
    member: str
    authorisation: str
    traceparent: str
    envelope: bytes


class Cancel(NamedTuple):
    """From who dialled: nobody waits for this one any more."""

    id: int


class Said(NamedTuple):
    """What became of a question that was sent: a Delivery; `answer` is empty unless there is one."""

    id: int
    outcome: str
    fault: bool
    answer: bytes


class NotSent(NamedTuple):
    """A question that was given to no link: each is full, or there is none any more."""

    id: int
    full: bool


class Held(NamedTuple):
    """All links of `member` that this process holds: the node's process, and since when (CLOCK_MONOTONIC)."""

    member: str
    links: dict[str, float]


class Failing(NamedTuple):
    """`member` has failed so often in a row, and is skipped until then (seconds since 1970); gateway/hub/circuit.py."""

    member: str
    in_a_row: int
    skip_until: float


class Known(NamedTuple):
    """All that this process knew when it was dialled has been said."""


class Alive(NamedTuple):
    """Nothing else to say."""


class Done(NamedTuple):
    """This process stops, and has no question of its own under way any more."""


Frame = Hello | Ask | Cancel | Said | NotSent | Held | Failing | Known | Alive | Done

_KINDS: Final[dict[str, type[Frame]]] = {
    kind.__name__: kind for kind in (Hello, Ask, Cancel, Said, NotSent, Held, Failing, Known, Alive, Done)
}
_TYPES: Final = {
    kind: tuple(dict if field == dict[str, float] else field for field in kind.__annotations__.values())
    for kind in _KINDS.values()
}


def packed(frame: Frame) -> bytes:
    """A frame as it is sent."""
    values: list[object] = list(frame)
    body = b""
    if values and isinstance(values[-1], bytes):
        body = values[-1]
        del values[-1]
    head = orjson.dumps([type(frame).__name__, *values])
    return b"".join((_SIZES.pack(len(head), len(body)), head, body))


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """The next frame; raises MalformedMessage, and asyncio.IncompleteReadError at the end."""
    head_bytes, body_bytes = _SIZES.unpack(await reader.readexactly(_SIZES.size))
    if head_bytes > MAX_HEAD_BYTES or body_bytes > MAX_BODY_BYTES:
        raise MalformedMessage("sibling: a frame that is too long")
    head = await reader.readexactly(head_bytes)
    body = await reader.readexactly(body_bytes)
    return _frame(head, body)


def _frame(head: bytes, body: bytes) -> Frame:
    try:
        name, *values = orjson.loads(head)
        kind = _KINDS[name]
    except (orjson.JSONDecodeError, ValueError, TypeError, KeyError) as error:
        raise MalformedMessage("sibling: not a frame") from error
    types = _TYPES[kind]
    if bytes in types:
        values.append(body)
    elif body:
        raise MalformedMessage("sibling: a body that none of this kind has")
    if tuple(map(type, values)) != types or not all(
        type(at) is float for value in values if isinstance(value, dict) for at in value.values()
    ):
        raise MalformedMessage("sibling: not the values of its kind")
    return kind(*values)
