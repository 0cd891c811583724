"""What lint says of an agreement: a severity, the rules it is about, and a sentence."""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """`error`: it does not do what it says. `warning`: probably not meant. `note`: worth knowing before signing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(NamedTuple):
    """`rules` are ids, none where it is about the agreement as a whole."""

    severity: Severity
    rules: tuple[str, ...]
    sentence: str
