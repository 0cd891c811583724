"""One-time passwords against the test vectors of RFC 6238, and which of them count at a given second."""

from base64 import b32decode
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from gateway.accounts.totp import STEP_S, code_at, enrolment_uri, matching_step, readable

SECRET = b"12345678901234567890"
NOW = 1_790_000_010.0


@pytest.mark.parametrize(
    ("seconds", "expected"),  # RFC 6238, appendix B, SHA-1; of its eight digits the last six
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238(seconds: int, expected: str) -> None:
    assert code_at(SECRET, seconds // STEP_S) == expected[-6:]


@pytest.mark.parametrize(("steps_ago", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_counts_one_step_before_and_after_its_own(steps_ago: int, counts: bool) -> None:
    step = int(NOW) // STEP_S - steps_ago
    assert matching_step(SECRET, code_at(SECRET, step), NOW) == (step if counts else None)


def test_a_code_may_be_typed_with_spaces_and_nothing_else_counts() -> None:
    code = code_at(SECRET, int(NOW) // STEP_S)
    assert matching_step(SECRET, f" {code[:3]} {code[3:]}", NOW) is not None
    for typed in ("", code[:-1], f"{code}0", "é" * 6, "\u0661" * 6, "-" + code[1:]):
        assert matching_step(SECRET, typed, NOW) is None


def test_what_is_scanned_and_what_is_typed_are_the_same_key() -> None:
    parts = urlsplit(enrolment_uri(SECRET, agency="Orchard & Pear: Homes", login="wendy@example.org"))
    query = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/Orchard & Pear: Homes:wendy@example.org"
    assert query["issuer"] == ["Orchard & Pear: Homes"]
    assert b32decode(query["secret"][0]) == b32decode(readable(SECRET).replace(" ", "")) == SECRET
