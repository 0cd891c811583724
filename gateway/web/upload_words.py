"""Words of an upload's pages: what columns mean, how sure a guess is, what a row becomes and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.node.changes import TWICE
from gateway.node.uploaded import TOLD
from gateway.web.upload_preview import Shown
from gateway.web.words import N_
from gateway.web.words import gettext as _
from mappings.guess import Confidence, Meaning
from mappings.model import HumanName, Involvement, Person, Practitioner

MAX_SHOWN: Final = 100  # characters of a cell
NO_SUCH_SERVICE: Final = "names a service that is not among yours"
MEANINGS: Final[Mapping[Meaning, str]] = {
    Meaning.FULL_NAME: N_("Client's whole name"),
    Meaning.GIVEN_NAME: N_("Client's first name"),
    Meaning.FAMILY_NAME: N_("Client's family name"),
    Meaning.BIRTH_DATE: N_("Date of birth"),
    Meaning.POSTCODE: N_("Postcode"),
    Meaning.NHS_NUMBER: N_("NHS number"),
    Meaning.WORKER: N_("Who works with them"),
    Meaning.WORKER_PHONE: N_("That worker's phone"),
    Meaning.WORKER_EMAIL: N_("That worker's email"),
    Meaning.ROLE: N_("What that worker does"),
    Meaning.SERVICE: N_("Service"),
    Meaning.START: N_("Since when"),
    Meaning.END: N_("Until when"),
    Meaning.KEY: N_("Your own number for the client"),
}
SURE: Final[Mapping[str, str]] = {
    Confidence.SURE.value: N_("We are sure"),
    Confidence.LIKELY.value: N_("Likely: check it"),
    Confidence.DOUBTFUL.value: N_("The header says so, the values do not: check it"),
}
PROBLEMS: Final[Mapping[str, str]] = {
    "name": N_("Say which column holds the client's name"),
    "two-names": N_("Choose the whole name, or first name and family name, not both"),
    "worker": N_("Say which column holds the worker or the service, or choose a service for all rows"),
}
FAILED: Final[Mapping[str, str]] = {
    "storage": N_("The register could not be written. What was stored before is good: upload the list again."),
    "": N_("The file could not be read to its end. What was stored before is good: upload the list again."),
}
OTHER_IMPORT: Final = N_("Another import is under way. Import this list when that one is over.")
OTHER_READING: Final = N_("Other files are being read. Wait a minute, then try again.")
REASONS: Final[Mapping[str, str]] = {  # what mappings and node/ say of a row or a field, word for word
    TWICE: N_("the same client stands in another row"),
    "required, but empty": N_("it is missing"),
    "not a date like 27/3/2012": N_("not a date like 27/3/2012"),
    "an NHS number has ten digits": N_("an NHS number has ten digits"),
    "the check digit of the NHS number is wrong": N_("this is no NHS number: a digit is wrong"),
    "there is no name": N_("there is no name"),
    "names no service": N_("it names no service, and its worker has none"),
    NO_SUCH_SERVICE: N_("it names a service that is not among yours"),
    "names a worker who has left": N_("it names a worker who has left"),
    "names a worker of whom there are two": N_("it names a worker of whom there are two"),
    "not a whole postcode": N_("not a whole postcode"),
    "not a phone number": N_("not a phone number"),
    "not an email address": N_("not an email address"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowWords:
    """One row of the preview."""

    place: str
    name: str = ""
    born: str = ""
    postcode: str = ""
    nhs: str = ""
    worker: str = ""
    service: str = ""
    since: str = ""
    problems: Sequence[str] = ()
    refused: bool = False


def row_words(
    shown: Shown, header: Sequence[str], columns: Mapping[Meaning, int], names: Mapping[str, str]
) -> RowWords:
    """What would be stored of a row; `names`: of workers and services in the register, by reference."""
    place = shown.place.removeprefix(f"{TOLD} ").partition(" ")[2]
    problems = [
        _unknown_service(shown.typed) if reason == NO_SUCH_SERVICE else problem_words(field, reason, header, columns)
        for field, reason in shown.problems
    ]
    person = next((each for each in shown.objects if isinstance(each, Person)), None)
    work = next((each for each in shown.objects if isinstance(each, Involvement)), None)
    if person is None or work is None:
        return RowWords(place=place, name=_typed_name(shown.typed), problems=problems, refused=True)
    worker = next((each for each in shown.objects if isinstance(each, Practitioner)), None)
    return RowWords(
        place=place,
        name=_spoken(person.names[0]) if person.names else "",
        born=person.birth_date or "",
        postcode=person.addresses[0].postcode if person.addresses else "",
        nhs=person.identifiers[0].value if person.identifiers else "",
        worker=_("%(name)s (new)") % {"name": _spoken(worker.name)}
        if worker is not None
        else names.get(work.practitioner_key or "", ""),
        service=names.get(work.service_key or "", ""),
        since=work.start or "",
        problems=problems,
    )


def _typed_name(typed: Mapping[Meaning, str]) -> str:
    """Whom a row is about that cannot be stored, as it says itself."""
    parts = (typed.get(each, "") for each in (Meaning.FULL_NAME, Meaning.GIVEN_NAME, Meaning.FAMILY_NAME))
    return " ".join(" ".join(parts).split())[:MAX_SHOWN]


def _unknown_service(typed: Mapping[Meaning, str]) -> str:
    said = _("“%(service)s” is not one of your services: add it, or say that this column is not needed")
    return said % {"service": " ".join(typed.get(Meaning.SERVICE, "").split())[:MAX_SHOWN]}


def _spoken(name: HumanName) -> str:
    return " ".join((*name.given, name.family)).strip()


def problem_words(field: str, reason: str, header: Sequence[str], columns: Mapping[Meaning, int]) -> str:
    """What is wrong with a row, with the column as the file calls it."""
    plain = reason.partition(": ")[2] if ": " in reason else reason
    said = _(REASONS.get(plain, plain))
    at = next((at for meaning, at in columns.items() if meaning.value in field.split(" + ")), None)
    return f"{header[at]}: {said}" if at is not None else said
