"""What a member may be called: its name stands beside fingerprints that people compare, on terminals and on pages.

So it is text that all of them show alike: nothing that nobody sees, that piles up over other lines, or that pads a line
until the next one looks like a program's own. Pure.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from gateway.errors import MalformedMessage
from gateway.wire.claims import text

MEMBER_NAME: Final = "letters, digits, punctuation and single spaces between them"

_ASCII = re.compile("(?=.*[A-Za-z0-9])[!-~]+(?: [!-~]+)*")
# By kind: Letter, Mark, Number, Punctuation (or what else ASCII prints), Joiner of two letters. Hindi and pointed
# Hebrew have three marks on a letter.
_CHARACTER = "(?:LM{0,3}(?:J(?=L))?|N|P)"
_NAME = re.compile(f"(?=.*[LN]){_CHARACTER}+(?: {_CHARACTER}+)*")
_JOINERS = "\u200c\u200d"
# Letters and marks that show nothing (Unicode, Default_Ignorable_Code_Point): fillers, variation selectors.
_SHOWS_NOTHING = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
_KINDS = {"Mn": "M", "Mc": "M", "Nd": "N"}


def member_name(claims: Mapping[str, Any], name: str) -> str:
    """A text that is one; raises MalformedMessage."""
    value = text(claims, name)
    if not is_member_name(value):
        raise MalformedMessage(f"{name} has other than {MEMBER_NAME}")
    return value


def is_member_name(value: str) -> bool:
    """Whether all of it shows, and there is a letter or digit to call it by."""
    if value.isascii():  # nearly all; a document may have thousands
        return bool(_ASCII.fullmatch(value))
    return bool(_NAME.fullmatch("".join(map(_kind, value)))) and not _SHOWS_NOTHING.search(value)


def _kind(character: str) -> str:
    """As in _NAME; "?" for what a name has not."""
    if character == " ":
        return " "
    if character in _JOINERS:
        return "J"
    category = unicodedata.category(character)
    if category[0] in "LP":
        return category[0]
    return _KINDS.get(category, "P" if character.isascii() and character.isprintable() else "?")
