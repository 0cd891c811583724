"""Base64url without padding (RFC 7515, appendix C), of which every value has exactly one spelling."""

from binascii import Error

import pybase64

from gateway.errors import MalformedMessage

# A last group of two characters carries 8 of 12 bits, one of three 16 of 18: the unused bits must be zero.
_LAST_OF = {0: None, 2: b"AQgw", 3: b"AEIMQUYcgkosw048"}


def encode(data: bytes) -> bytes:
    """The one spelling of `data`."""
    return pybase64.urlsafe_b64encode(data).rstrip(b"=")


def encode_text(data: bytes) -> str:
    """The one spelling of `data`, as text for JSON."""
    return encode(data).decode("ascii")


def decode(text: bytes) -> bytes:
    """Raises MalformedMessage for padding, another alphabet, an impossible length or unused bits that are set."""
    rest = len(text) % 4
    if rest not in _LAST_OF:
        raise MalformedMessage("base64url of an impossible length")
    last = _LAST_OF[rest]
    if last is not None and text[-1:] not in last:
        raise MalformedMessage("base64url with padding, or with unused bits that are not zero")
    if b"+" in text or b"/" in text or b"=" in text:  # the decoder takes them too
        raise MalformedMessage("base64url of another alphabet")
    try:
        return pybase64.b64decode(text + b"=="[: -rest % 4], altchars=b"-_", validate=True)
    except Error:
        raise MalformedMessage("not base64url") from None


def decode_text(text: str) -> bytes:
    """As `decode`, for a value found in JSON."""
    try:
        return decode(text.encode("ascii"))
    except UnicodeEncodeError:
        raise MalformedMessage("not base64url") from None
