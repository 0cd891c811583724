"""The pages' text in the language of whoever reads it: gettext catalogues below locales/, one for each language.

Text is written in English where it is used, `_("Sign in")`, or `{% trans %}` in a template; `N_` marks what is
translated later, where it is shown. A catalogue that is missing, or a text that it lacks, leaves the English.
"""

import gettext as catalogues
from contextvars import ContextVar
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.accounts.account import Role

LOCALES = Path(__file__).parent / "locales"
DOMAIN = "patchwork"
ENGLISH = "en"

LANGUAGE_NAMES = {"en": "English", "cy": "Cymraeg"}

language: ContextVar[str] = ContextVar("language", default=ENGLISH)


def N_(text: str) -> str:
    """Mark a text for the catalogues, to be translated when it is shown."""
    return text


_MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)


_ROLES = {
    Role.PRACTITIONER: N_("see your own clients and ask other agencies"),
    Role.MANAGER: N_("decide cases, put right what colleagues report, keep the register"),
    Role.GOVERNANCE: N_("decide cases and answer clients"),
    Role.ADMINISTRATOR: N_("look after accounts and settings"),
    Role.AUDITOR: N_("check what was done"),
}

_TITLES = {
    Role.PRACTITIONER: N_("Practitioner"),
    Role.MANAGER: N_("Manager"),
    Role.GOVERNANCE: N_("Governance officer"),
    Role.ADMINISTRATOR: N_("Administrator"),
    Role.AUDITOR: N_("Auditor"),
}


def gettext(text: str) -> str:
    """A text in the language of this request."""
    return text and _catalogue(language.get()).gettext(text)  # the empty text is a catalogue's own header


def ngettext(one: str, many: str, number: int) -> str:
    """A text that depends on a number, in the language of this request."""
    return _catalogue(language.get()).ngettext(one, many, number)


def role_name(role: Role) -> str:
    """What a role lets somebody do."""
    return gettext(_ROLES[role])


def role_title(role: Role) -> str:
    """What somebody with a role is called."""
    return gettext(_TITLES[role])


def day(value: date | str) -> str:
    """A day as people write it, `4 March 2010`; an ISO date may lack its day or month (`2010-03`, `2010`)."""
    year, *rest = value.isoformat()[:10].split("-") if isinstance(value, date) else value[:10].split("-")
    words = [str(int(part)) for part in rest[1:]] + [gettext(_MONTHS[int(part) - 1]) for part in rest[:1]]
    return " ".join([*words, year])


def clock(seconds: float, zone: ZoneInfo) -> str:
    """The time of day, `14:05`; `seconds` since the epoch."""
    return f"{datetime.fromtimestamp(seconds, zone):%H:%M}"


def moment(seconds: float, zone: ZoneInfo) -> str:
    """A time as people write it, `4 March 2010, 14:05`; `seconds` since the epoch."""
    local = datetime.fromtimestamp(seconds, zone)
    return f"{day(local.date())}, {local:%H:%M}"


@cache
def _catalogue(code: str) -> catalogues.NullTranslations:
    return catalogues.translation(DOMAIN, LOCALES, languages=[code], fallback=True)
