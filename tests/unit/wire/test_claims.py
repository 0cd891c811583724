"""The strict JSON reader and base64url."""

import json
from datetime import datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.days import DAY_S, day_of
from gateway.errors import MalformedMessage
from gateway.wire import base64url
from gateway.wire.claims import MAX_DEPTH, MAX_MOMENT, moment, read_claims, text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=4), st.sampled_from([None, 2]))
def test_any_object_is_read_in_any_spelling(value: dict[str, object], indent: int | None) -> None:
    assert read_claims(orjson.dumps(value), max_bytes=10_000) == value
    assert read_claims(json.dumps(value, indent=indent).encode(), max_bytes=10_000) == value


@given(st.text(max_size=6), JSON, JSON)
def test_member_named_twice_is_refused(name: str, first: object, second: object) -> None:
    key = json.dumps(name)
    data = f'{{"x":{{{key}:{json.dumps(first)},{key}:{json.dumps(second)}}}}}'.encode()
    with pytest.raises(MalformedMessage, match="twice"):
        read_claims(data, max_bytes=10_000)


def test_a_time_is_one_that_any_calendar_shows() -> None:
    latest = moment({"exp": MAX_MOMENT}, "exp")
    for zone in (timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))):
        assert datetime.fromtimestamp(latest, zone).year
    assert day_of(latest + 90 * DAY_S)  # what is added to it, as an overlap of keys, has a day too
    for beyond in (MAX_MOMENT + 1, -1, 1.0, True):
        with pytest.raises(MalformedMessage):
            moment({"exp": beyond}, "exp")


def test_depth_and_size_are_bounded() -> None:
    deepest = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH
    assert read_claims(deepest, max_bytes=10_000)
    with pytest.raises(MalformedMessage, match="deeper"):
        read_claims(b'{"a":' + deepest + b"}", max_bytes=10_000)
    with pytest.raises(MalformedMessage, match="at most"):
        read_claims(b'{"a":1}', max_bytes=6)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert read_claims(b'{"a":[' + b",".join([b"{}"] * 500) + b"]}", max_bytes=10_000)


@pytest.mark.parametrize("name", ["Zoë", "Nguyễn", "O\u2019Neill", "M\u00a0D", "王", "👩"])
def test_names_of_people_are_not_control_characters(name: str) -> None:
    assert text({"name": name}, "name") == name


@pytest.mark.parametrize(
    "name",
    [
        "a\x00",
        "a\n",
        "a\x85",
        "a\u2028",
        "a\u202eb",
        "\ufeffa",
        "a\u200eb",
        "a\u200bb",
        "a\xadb",
        "a\U000e0041b",
        "",
        "a" * 201,
    ],
)
def test_text_that_hides_something_is_refused(name: str) -> None:
    with pytest.raises(MalformedMessage):
        text({"name": name}, "name")


@given(st.binary(max_size=100))
def test_base64url_has_one_spelling(data: bytes) -> None:
    spelled = base64url.encode(data)
    assert base64url.decode(spelled) == data
    assert b"=" not in spelled
    with pytest.raises(MalformedMessage):
        base64url.decode(spelled + b"=")


@given(st.text(alphabet="AQgwBz-_+/= \n", max_size=12))
def test_whatever_decodes_is_its_own_spelling(spelled: str) -> None:
    try:
        data = base64url.decode_text(spelled)
    except MalformedMessage:
        return
    assert base64url.encode_text(data) == spelled
