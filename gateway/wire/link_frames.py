"""What a hub and a node say on a link that the node has opened (docs/wire.md, "Links").

    hub -> node   {"question": id, "authorisation": "Patchwork <JWS>", "envelope": base64url}   a member's envelope,
                  with "traceparent" if the hub traces it
                  {"news": seq}                                  the hub holds this federation document: fetch it
                  {"farewell": "heard"}                          no more questions will come over this link
    node -> hub   {"answer": id, "sealed": base64url}            exactly SEALED_ANSWER_BYTES
                  {"refused": id, "code": "overloaded"}          a code of docs/wire.md, "Errors"
                  {"farewell": "leaving"}                        this process stops: send it no more questions

One frame is one WebSocket text message. `id` is the hub's own for this delivery, a random UUID. Readers raise
MalformedMessage, after which the link is closed: there is no way to go on with who cannot be understood.
"""

from dataclasses import dataclass, field

import orjson

from gateway.errors import MalformedMessage
from gateway.telemetry.trace_context import TRACEPARENT_CHARS, traced
from gateway.wire import base64url
from gateway.wire.claims import Claims, identifier, integer, only, raw, read_claims, text, uuid
from gateway.wire.limits import (
    MAX_ANSWER_FRAME_BYTES,
    MAX_MEMBER_ENVELOPE_BYTES,
    MAX_QUESTION_FRAME_BYTES,
    MAX_REQUEST_TOKEN_BYTES,
    SEALED_ANSWER_BYTES,
)

_QUESTION = frozenset({"question", "authorisation", "envelope"})
_TRACED_QUESTION = _QUESTION | {"traceparent"}
_NEWS = frozenset({"news"})
_ANSWER = frozenset({"answer", "sealed"})
_REFUSED = frozenset({"refused", "code"})
_FAREWELL = frozenset({"farewell"})
_LEAVING, _HEARD = "leaving", "heard"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionFrame:
    """One delivery: the same token and the same bytes that a POST to the node's endpoint would carry."""

    id: str
    authorisation: str = field(repr=False)
    envelope: bytes = field(repr=False)
    traceparent: str = ""

    def to_json(self) -> str:
        """The frame."""
        frame = {
            "question": self.id,
            "authorisation": self.authorisation,
            "envelope": base64url.encode_text(self.envelope),
        } | traced(self.traceparent)
        return orjson.dumps(frame).decode("ascii")


@dataclass(frozen=True, slots=True)
class NewsFrame:
    """The hub holds the federation document `seq`."""

    seq: int

    def to_json(self) -> str:
        """The frame."""
        return orjson.dumps({"news": self.seq}).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFrame:
    """A sealed answer."""

    id: str
    sealed: bytes = field(repr=False)

    def to_json(self) -> str:
        """The frame."""
        return orjson.dumps({"answer": self.id, "sealed": base64url.encode_text(self.sealed)}).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFrame:
    """The node does not answer, and why: the code that it would have refused with over HTTPS."""

    id: str
    code: str

    def to_json(self) -> str:
        """The frame."""
        return orjson.dumps({"refused": self.id, "code": self.code}).decode("ascii")


@dataclass(frozen=True, slots=True)
class LeavingFrame:
    """The node's process stops: it answers what it has been asked, and wants to be asked no more over this link."""

    def to_json(self) -> str:
        """The frame."""
        return orjson.dumps({"farewell": _LEAVING}).decode("ascii")


@dataclass(frozen=True, slots=True)
class HeardFrame:
    """The hub has heard that the node leaves: whatever it sent before has come before this, and nothing comes after."""

    def to_json(self) -> str:
        """The frame."""
        return orjson.dumps({"farewell": _HEARD}).decode("ascii")


def read_from_hub(frame: str) -> QuestionFrame | NewsFrame | HeardFrame:
    """What a hub may say to a node; raises MalformedMessage."""
    claims = read_claims(frame.encode("utf-8"), max_bytes=MAX_QUESTION_FRAME_BYTES)
    if "farewell" in claims:
        _read_farewell(claims, _HEARD)
        return HeardFrame()
    if "news" in claims:
        only(claims, _NEWS)
        return NewsFrame(integer(claims, "news", minimum=1))
    only(claims, _TRACED_QUESTION if "traceparent" in claims else _QUESTION)
    return QuestionFrame(
        id=uuid(claims, "question"),
        authorisation=text(claims, "authorisation", max_chars=MAX_REQUEST_TOKEN_BYTES + len("Patchwork ")),
        envelope=raw(claims, "envelope", maximum=MAX_MEMBER_ENVELOPE_BYTES),
        traceparent=text(claims, "traceparent", max_chars=TRACEPARENT_CHARS) if "traceparent" in claims else "",
    )


def read_from_node(frame: str) -> AnswerFrame | RefusedFrame | LeavingFrame:
    """What a node may say to a hub; raises MalformedMessage."""
    claims = read_claims(frame.encode("utf-8"), max_bytes=MAX_ANSWER_FRAME_BYTES)
    if "farewell" in claims:
        _read_farewell(claims, _LEAVING)
        return LeavingFrame()
    if "refused" in claims:
        only(claims, _REFUSED)
        return RefusedFrame(id=uuid(claims, "refused"), code=identifier(claims, "code"))
    only(claims, _ANSWER)
    return AnswerFrame(id=uuid(claims, "answer"), sealed=raw(claims, "sealed", size=SEALED_ANSWER_BYTES))


def _read_farewell(claims: Claims, word: str) -> None:
    only(claims, _FAREWELL)
    if claims["farewell"] != word:
        raise MalformedMessage("a farewell that this side does not say")
