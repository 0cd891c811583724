"""Who a form is about, from what was typed: the fields of partials/who.html."""

from datetime import date
from typing import Final

from gateway.errors import InputError
from gateway.matching.normalise import nhs_number
from gateway.node.question import MAX_NAME_CHARS, read_subject
from gateway.web.forms import Form
from gateway.web.words import gettext as _
from gateway.wire.limits import MAX_AGE_YEARS
from gateway.wire.query import Subject

NAME, DAY, MONTH, YEAR, AGE, POSTCODE, NHS = (
    "name",
    "born-day",
    "born-month",
    "born-year",
    "age",
    "postcode",
    "nhs",
)
_MAX_TYPED: Final = 40  # characters of any field but the name
_MONTHS: Final = 12
_NHS_DIGITS: Final = 10
_YEAR_DIGITS: Final = 4


def subject_of(form: Form, today: date) -> Subject | None:
    """Read the fields; None if the form has errors now. An error of the birth date is that of its first box."""
    name = form.line(NAME, max_length=MAX_NAME_CHARS)
    born = _born(form, today)
    age = form.whole(AGE, least=0, most=MAX_AGE_YEARS)
    postcode = form.line(POSTCODE, max_length=_MAX_TYPED)
    nhs = _nhs(form)
    if age is not None and (born or DAY in form.errors):
        form.wrong(AGE, _("Enter a date of birth or an age, not both"))
    if not form.errors:
        _check_enough(form, name=name, born=born, age=age, postcode=postcode, nhs=nhs)
    if form.errors:
        return None
    try:
        return read_subject(name, born=str(age) if age is not None else born, postcode=postcode, nhs=nhs, today=today)
    except InputError as error:
        form.wrong(*_wrong(error))
        return None


def fill(subject: Subject) -> Form:
    """The fields as they would have to be typed for this subject: to change a question that was asked."""
    return filled(
        name=next((name.text for name in subject.names), ""),
        birth_date=subject.birth_date or "",
        age="" if subject.age is None else str(subject.age),
        postcode=subject.postcode or "",
        nhs=next((value for _system, value in subject.identifiers), ""),
    )


def filled(*, name: str = "", birth_date: str = "", age: str = "", postcode: str = "", nhs: str = "") -> Form:
    """The fields with this in them; `birth_date` is ISO 8601, possibly partial."""
    year, month, day = (*birth_date.split("-"), "", "")[:3]
    typed = {
        NAME: name,
        DAY: day.lstrip("0"),
        MONTH: month.lstrip("0"),
        YEAR: year,
        AGE: age,
        POSTCODE: postcode,
        NHS: nhs,
    }
    return Form(fields={field: [text] for field, text in typed.items()})


def _born(form: Form, today: date) -> str:
    """ISO 8601, possibly partial: the day, or day and month, may be left out."""
    day, month, year = (form.line(box, max_length=_MAX_TYPED) for box in (DAY, MONTH, YEAR))
    typed = [part for part in (day, month, year) if part]
    if not typed:
        return ""
    if not all(part.isascii() and part.isdecimal() for part in typed):
        form.wrong(DAY, _("A date of birth must be numbers, like 27 3 2007"))
    elif len(year) != _YEAR_DIGITS:
        form.wrong(DAY, _("Enter the year of birth with 4 digits, like 2007"))
    elif day and not month:
        form.wrong(DAY, _("Enter the month of birth too, or the year alone"))
    elif month and not 1 <= int(month[:9]) <= _MONTHS:
        form.wrong(DAY, _("The month of birth must be between 1 and 12"))
    else:
        return _iso(form, day, month, year, today)
    return ""


def _iso(form: Form, day: str, month: str, year: str, today: date) -> str:
    try:
        earliest = date(int(year), int(month or 1), int(day or 1))
    except (ValueError, OverflowError):
        form.wrong(DAY, _("Enter a real date of birth, like 27 3 2007"))
        return ""
    if earliest > today:
        form.wrong(DAY, _("The date of birth must be in the past"))
    elif earliest.year < today.year - MAX_AGE_YEARS:
        form.wrong(DAY, _("Check the year of birth: nobody alive was born then"))
    iso = earliest.isoformat()
    return iso if day else iso[:7] if month else iso[:4]


def _nhs(form: Form) -> str:
    typed = form.line(NHS, max_length=_MAX_TYPED)
    digits = typed.replace(" ", "").replace("-", "")
    if not typed:
        return ""
    if len(digits) != _NHS_DIGITS or not (digits.isascii() and digits.isdecimal()):
        form.wrong(NHS, _("An NHS number has 10 digits, like 999 012 3456"))
    elif nhs_number(digits) is None:
        form.wrong(NHS, _("Check the NHS number: a digit is wrong, as its last digit does not fit the others"))
    return digits


def _check_enough(form: Form, *, name: str, born: str, age: int | None, postcode: str, nhs: str) -> None:
    """What finds nobody anywhere is not asked, as it would only tell a name (docs/matching.md, "Disclosure")."""
    if not name and not (nhs and born):
        form.wrong(NAME, _("Enter their name"))
    elif not (born or age is not None or postcode or nhs):
        form.wrong(DAY, _("A name alone finds nobody: add a date of birth, an age, a postcode or an NHS number"))


def _wrong(error: InputError) -> tuple[str, str]:
    """What read_subject refused although it looked right above."""
    if error.field == "postcode":
        return POSTCODE, _("Enter a full postcode, like EX4 4QJ, or its first part, EX4")
    if error.field == "nhs":
        return NHS, _("An NHS number has 10 digits, like 999 012 3456")
    if error.field == "born":
        return DAY, _("Enter a real date of birth, like 27 3 2007")
    return NAME, _("Enter their name in letters that can be printed")
