"""Time-based one-time passwords (RFC 6238): six digits, 30 seconds, SHA-1, which is what authenticator apps take."""

import hmac
from base64 import b32encode
from urllib.parse import quote, urlencode

SECRET_BYTES = 20  # RFC 4226, section 4, R6
STEP_S = 30
DIGITS = 6
_SKEW = 1  # steps before and after now that count (RFC 6238, section 5.2)


def code_at(secret: bytes, step: int) -> str:
    """The code of a time step (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: bytes, code: str, now: float) -> int | None:
    """The time step whose code this is, of those that count now; spaces in the code do not matter."""
    typed = "".join(code.split()).encode()
    step = int(now) // STEP_S
    for candidate in (step, step - _SKEW, step + _SKEW):
        if hmac.compare_digest(code_at(secret, candidate).encode(), typed):
            return candidate
    return None


def readable(secret: bytes) -> str:
    """The secret as people type it into an app: base32 in groups of four."""
    text = b32encode(secret).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def enrolment_uri(secret: bytes, *, agency: str, login: str) -> str:
    """What the picture holds that an app scans (the `otpauth` form that all of them read)."""
    label = quote(f"{agency}:{login}")
    query = urlencode({"secret": b32encode(secret).decode().rstrip("="), "issuer": agency}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"
