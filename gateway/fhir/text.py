"""Makes text safe to put into a resource, and safe to show when it came out of another member's.

Terminal escape sequences are taken out whole, then every control, format (bidirectional overrides, zero-width joints),
private-use and unassigned character; runs of white space become one space.
"""

import re
import unicodedata

MAX_COMBINING = 3  # marks on one letter: enough for Vietnamese and pointed Hebrew, too few to paint over other lines

# ECMA-48: CSI and two-character sequences, and strings (OSC, DCS, PM, APC, SOS) up to their terminator or the end.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)


def plain(value: str) -> str:
    """`value` without what cannot be printed; our own text is nearly always returned as it is."""
    if value.isascii() and value.isprintable():
        return value.strip()
    seen = (_visible(character) for character in _ESCAPES.sub("", value))
    kept: list[str] = []
    combining = 0
    for character in unicodedata.normalize("NFC", "".join(seen)):
        combining = combining + 1 if unicodedata.category(character)[0] == "M" else 0
        if combining <= MAX_COMBINING:
            kept.append(character)
    return " ".join("".join(kept).split())


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "Z" or character in "\t\n\r":
        return " "
    return "" if category[0] == "C" else character


def bounded(value: object, limit: int) -> str:
    """Text from another party: "" unless it is text, cleaned, at most `limit` characters."""
    if not isinstance(value, str):
        return ""
    # Cut before cleaning too, so that the work is bounded by what can be shown.
    return plain(value[: limit * 4])[:limit].strip()
