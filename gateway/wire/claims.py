"""Strict reading of JSON from other parties (docs/wire.md, "JSON").

orjson already refuses invalid UTF-8, lone surrogates, NaN, Infinity and numbers beyond a double. On top of it: a bound
on size and depth, no member named twice, and typed access, so that no handler meets a value of an unexpected type.
Errors name the field, never its value.
"""

import json
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

import orjson

from gateway.errors import MalformedMessage
from gateway.wire import base64url
from gateway.wire.limits import MAX_ID_CHARS, MAX_TEXT_CHARS

Claims = dict[str, Any]
T = TypeVar("T")
E = TypeVar("E", bound=Enum)

MAX_DEPTH = 32  # a question needs 5, a federation document 6
MAX_INTEGER = 2**53 - 1  # what every JSON reader can hold exactly (RFC 8259, section 6)
MAX_MOMENT = 253_370_764_800  # 9999-01-01T00:00Z: a calendar has a day for it, whatever the time zone

_ID = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{MAX_ID_CHARS - 1}}}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# C0 and C1 controls, line separators, and marks that nobody sees or that turn the direction of what a person reads on a
# screen. The joiners U+200C and U+200D stay: names of some scripts need them.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def read_claims(data: bytes, *, max_bytes: int) -> Claims:
    """One JSON object; raises MalformedMessage for anything that two readers could understand differently."""
    if len(data) > max_bytes:
        raise MalformedMessage(f"JSON of {len(data)} bytes, at most {max_bytes} allowed")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise MalformedMessage("not JSON") from None
    if type(value) is not dict:
        raise MalformedMessage("not a JSON object")
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:  # fewer cannot nest deeper
        _check_depth(value)
    # A member named twice is lost in parsing, so what is written again is shorter than what was read. Our own writer's
    # output comes back byte for byte and needs no second parse.
    if orjson.dumps(value) != data:
        json.loads(data, object_pairs_hook=_refuse_duplicates)
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            children = item.values() if type(item) is dict else item
            below += [child for child in children if type(child) in (dict, list)]
        if not below:
            return
        level = below
    raise MalformedMessage(f"JSON nested deeper than {MAX_DEPTH}")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> Claims:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise MalformedMessage("JSON object with a member named twice")
    return read


def only(claims: Mapping[str, Any], required: frozenset[str], optional: frozenset[str] = frozenset()) -> None:
    """Exactly these members: version 1 ignores nothing that it does not understand."""
    if len(claims) != len(required) or not required.issuperset(claims):
        missing = required - claims.keys()
        if missing:
            raise MalformedMessage(f"{sorted(missing)[0]} is missing")
        if not claims.keys() <= required | optional:
            raise MalformedMessage("a member that version 1 does not know")


def text(claims: Mapping[str, Any], name: str, *, max_chars: int = MAX_TEXT_CHARS, empty: bool = False) -> str:
    """A string without control characters."""
    value = claims.get(name)
    if type(value) is not str:
        raise MalformedMessage(f"{name} is not a string")
    if len(value) > max_chars or not (value or empty):
        raise MalformedMessage(f"{name} must have 1 to {max_chars} characters")
    if not value.isprintable() and _UNSEEN.search(value):  # the first is faster, but refuses a no-break space too
        raise MalformedMessage(f"{name} has control characters")
    return value


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[Mapping[str, Any], str], str]:
    def read(claims: Mapping[str, Any], name: str) -> str:
        value = claims.get(name)
        if type(value) is not str or not pattern.fullmatch(value):
            raise MalformedMessage(f"{name} is not {what}")
        return value

    return read


identifier = _matching(_ID, "a short name of a-z, 0-9 and -")
uuid = _matching(_UUID, "a UUID in lower case")
sha256 = _matching(_SHA256, "a SHA-256 in lower-case hex")


def integer(claims: Mapping[str, Any], name: str, *, minimum: int = 0, maximum: int = MAX_INTEGER) -> int:
    """A JSON integer; neither `true` nor `1.0` nor `"1"` is one."""
    value = claims.get(name)
    if type(value) is not int or not minimum <= value <= maximum:
        raise MalformedMessage(f"{name} is not an integer from {minimum} to {maximum}")
    return value


def moment(claims: Mapping[str, Any], name: str) -> int:
    """A time in epoch seconds that a calendar can show: none of others' making may stop who prints it."""
    return integer(claims, name, maximum=MAX_MOMENT)


def boolean(claims: Mapping[str, Any], name: str) -> bool:
    """A JSON true or false."""
    value = claims.get(name)
    if type(value) is not bool:
        raise MalformedMessage(f"{name} is not true or false")
    return value


def nested(claims: Mapping[str, Any], name: str) -> Claims:
    """A JSON object."""
    value = claims.get(name)
    if type(value) is not dict:
        raise MalformedMessage(f"{name} is not an object")
    return value


def array(claims: Mapping[str, Any], name: str, item: type[T], *, maximum: int, minimum: int = 0) -> list[T]:
    """A JSON array of `minimum` to `maximum` values of one type."""
    value = claims.get(name)
    if type(value) is not list or not minimum <= len(value) <= maximum:
        raise MalformedMessage(f"{name} is not an array of {minimum} to {maximum}")
    for entry in value:
        if type(entry) is not item:
            raise MalformedMessage(f"{name} holds something of another type")
    return value


def raw(claims: Mapping[str, Any], name: str, *, size: int | None = None, maximum: int = 0) -> bytes:
    """Bytes in base64url: exactly `size`, or 1 to `maximum`."""
    value = claims.get(name)
    if type(value) is not str:
        raise MalformedMessage(f"{name} is not a string")
    most = maximum if size is None else size
    if len(value) > (most * 4 + 2) // 3:
        raise MalformedMessage(f"{name} is longer than {most} bytes")
    data = base64url.decode_text(value)
    if len(data) != size if size is not None else not data:
        raise MalformedMessage(f"{name} has a wrong length")
    return data


def code(claims: Mapping[str, Any], name: str, of: type[E]) -> E:
    """A member of a closed vocabulary."""
    try:
        return of(claims.get(name))
    except ValueError:
        raise MalformedMessage(f"{name} is not a known code") from None


def pairs(claims: Mapping[str, Any], name: str, *, maximum: int) -> tuple[tuple[str, str], ...]:
    """An array of `{"system", "value"}`, as FHIR writes identifiers and contact points."""
    found = []
    for entry in array(claims, name, dict, maximum=maximum):
        only(entry, _PAIR)
        found.append((text(entry, "system"), text(entry, "value")))
    return tuple(found)


_PAIR = frozenset({"system", "value"})


def pairs_json(values: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    """The inverse of `pairs`."""
    return [{"system": system, "value": value} for system, value in values]
