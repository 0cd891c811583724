"""A question as JWS claims (docs/wire.md, "Question"): written and read in one place."""

import re
from datetime import date
from typing import Any

from gateway.errors import MalformedMessage
from gateway.wire import base64url
from gateway.wire.claims import (
    Claims,
    array,
    boolean,
    code,
    identifier,
    integer,
    moment,
    nested,
    only,
    pairs,
    pairs_json,
    raw,
    sha256,
    text,
    uuid,
)
from gateway.wire.limits import (
    MAX_AGE_YEARS,
    MAX_GIVEN,
    MAX_ID_CHARS,
    MAX_IDENTIFIERS,
    MAX_NAMES,
    MAX_POSTCODE_CHARS,
    MAX_RECIPIENTS,
    MAX_TELECOM,
    MAX_TEXT_CHARS,
    MAX_URI_CHARS,
    MAX_VERSION_CHARS,
    SEALING_PUBLIC_BYTES,
)
from gateway.wire.question import AskingPractitioner, NameParts, Query, Subject
from mappings.vocabulary import AuthMethod, LawfulBasis, Mode, Purpose

# FHIR R4 Patient has no age; it goes into an extension of valueUnsignedInt.
AGE_EXTENSION = "urn:patchwork:age"

_CLAIMS = frozenset(
    {
        *("iss", "aud", "iat", "exp", "jti", "recipients", "fed", "practitioner", "auth", "purpose", "lawful_basis"),
        *("agreement", "mode", "subject", "only_certain", "reply_key"),
    }
)
_OPTIONAL = frozenset({"break_glass"})
_FED = frozenset({"seq", "sha256"})
_PRACTITIONER = frozenset({"id", "name", "role", "organisation", "telecom"})
_AUTH = frozenset({"method", "time"})
_AGREEMENT = frozenset({"uri", "version"})
_SUBJECT = frozenset({"resourceType"})
_SUBJECT_OPTIONAL = frozenset({"name", "birthDate", "extension", "address", "identifier"})
_NAME_OPTIONAL = frozenset({"given", "family", "text"})
_EXTENSION = frozenset({"url", "valueUnsignedInt"})
_ADDRESS = frozenset({"postalCode"})
_NONE: frozenset[str] = frozenset()
_PARTIAL_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


def query_json(query: Query) -> Claims:
    """The claims of a question, in the order of docs/wire.md."""
    claims: Claims = {
        "iss": query.issuer,
        "aud": query.federation,
        "iat": query.issued_at,
        "exp": query.expires_at,
        "jti": query.jti,
        "recipients": list(query.recipients),
        "fed": {"seq": query.fed_seq, "sha256": query.fed_sha256},
        "practitioner": {
            "id": query.practitioner.id,
            "name": query.practitioner.name,
            "role": query.practitioner.role,
            "organisation": query.practitioner.organisation,
            "telecom": pairs_json(query.practitioner.telecom),
        },
        "auth": {"method": query.auth_method.value, "time": query.auth_time},
        "purpose": query.purpose.value,
        "lawful_basis": query.lawful_basis.value,
        "agreement": {"uri": query.agreement_uri, "version": query.agreement_version},
        "mode": query.mode.code,
        "subject": _subject_json(query.subject),
        "only_certain": query.only_certain,
        "reply_key": base64url.encode_text(query.reply_key),
    }
    if query.break_glass is not None:
        claims["break_glass"] = query.break_glass
    return claims


def read_query(claims: Claims) -> Query:
    """The inverse of `query_json`; raises MalformedMessage, naming the claim and never its value."""
    only(claims, _CLAIMS, _OPTIONAL)
    fed, auth, agreement = nested(claims, "fed"), nested(claims, "auth"), nested(claims, "agreement")
    only(fed, _FED)
    only(auth, _AUTH)
    only(agreement, _AGREEMENT)
    return Query(
        federation=identifier(claims, "aud"),
        issuer=identifier(claims, "iss"),
        issued_at=integer(claims, "iat"),
        expires_at=integer(claims, "exp"),
        jti=uuid(claims, "jti"),
        recipients=_recipients(claims),
        fed_seq=integer(fed, "seq", minimum=1),
        fed_sha256=sha256(fed, "sha256"),
        practitioner=_practitioner(nested(claims, "practitioner")),
        auth_method=code(auth, "method", AuthMethod),
        auth_time=moment(auth, "time"),
        purpose=code(claims, "purpose", Purpose),
        lawful_basis=code(claims, "lawful_basis", LawfulBasis),
        agreement_uri=text(agreement, "uri", max_chars=MAX_URI_CHARS),
        agreement_version=text(agreement, "version", max_chars=MAX_VERSION_CHARS),
        break_glass=identifier(claims, "break_glass") if "break_glass" in claims else None,
        mode=_mode(claims),
        subject=_subject(nested(claims, "subject")),
        only_certain=boolean(claims, "only_certain"),
        reply_key=raw(claims, "reply_key", size=SEALING_PUBLIC_BYTES),
    )


def _recipients(claims: Claims) -> tuple[str, ...]:
    found = array(claims, "recipients", str, minimum=1, maximum=MAX_RECIPIENTS)
    for place in range(len(found)):
        if len(found[place]) > MAX_ID_CHARS or (place and found[place - 1] >= found[place]):
            raise MalformedMessage("recipients are not sorted ids, each once")
    return tuple(found)


def _practitioner(entry: Claims) -> AskingPractitioner:
    only(entry, _PRACTITIONER)
    return AskingPractitioner(
        id=text(entry, "id"),
        name=text(entry, "name"),
        role=text(entry, "role", empty=True),
        organisation=text(entry, "organisation"),
        telecom=pairs(entry, "telecom", maximum=MAX_TELECOM),
    )


def _mode(claims: Claims) -> Mode:
    try:
        return Mode.from_code(text(claims, "mode"))
    except ValueError:
        raise MalformedMessage("mode is not a known code") from None


def _subject_json(subject: Subject) -> Claims:
    patient: Claims = {"resourceType": "Patient"}
    if subject.names:
        patient["name"] = [_name_json(name) for name in subject.names]
    if subject.birth_date is not None:
        patient["birthDate"] = subject.birth_date
    if subject.age is not None:
        patient["extension"] = [{"url": AGE_EXTENSION, "valueUnsignedInt": subject.age}]
    if subject.postcode is not None:
        patient["address"] = [{"postalCode": subject.postcode}]
    if subject.identifiers:
        patient["identifier"] = pairs_json(subject.identifiers)
    return patient


def _name_json(name: NameParts) -> Claims:
    entry: dict[str, Any] = {}
    if name.given:
        entry["given"] = list(name.given)
    if name.family:
        entry["family"] = name.family
    if name.text:
        entry["text"] = name.text
    return entry


def _subject(patient: Claims) -> Subject:
    only(patient, _SUBJECT, _SUBJECT_OPTIONAL)
    if patient["resourceType"] != "Patient":
        raise MalformedMessage("subject is not a Patient")
    names = array(patient, "name", dict, minimum=1, maximum=MAX_NAMES) if "name" in patient else []
    identifiers = pairs(patient, "identifier", maximum=MAX_IDENTIFIERS) if "identifier" in patient else ()
    if not names and not identifiers:
        raise MalformedMessage("subject has neither name nor identifier")
    return Subject(
        names=tuple(_name(name) for name in names),
        birth_date=_birth_date(patient) if "birthDate" in patient else None,
        age=_age(patient) if "extension" in patient else None,
        postcode=_postcode(patient) if "address" in patient else None,
        identifiers=identifiers,
    )


def _name(entry: Claims) -> NameParts:
    only(entry, _NONE, _NAME_OPTIONAL)
    if not entry:
        raise MalformedMessage("name is empty")
    given = array(entry, "given", str, minimum=1, maximum=MAX_GIVEN) if "given" in entry else []
    return NameParts(
        given=tuple(text({"given": part}, "given", max_chars=MAX_TEXT_CHARS) for part in given),
        family=text(entry, "family") if "family" in entry else "",
        text=text(entry, "text") if "text" in entry else "",
    )


def _birth_date(patient: Claims) -> str:
    value = text(patient, "birthDate")
    if not _PARTIAL_DATE.fullmatch(value):
        raise MalformedMessage("birthDate is not a date, year and month, or year")
    try:
        date.fromisoformat(value + "0000-01-01"[len(value) :])
    except ValueError:
        raise MalformedMessage("birthDate is no day of the calendar") from None
    return value


def _age(patient: Claims) -> int:
    (extension,) = array(patient, "extension", dict, minimum=1, maximum=1)
    only(extension, _EXTENSION)
    if extension["url"] != AGE_EXTENSION:
        raise MalformedMessage("subject has an extension that version 1 does not know")
    return integer(extension, "valueUnsignedInt", maximum=MAX_AGE_YEARS)


def _postcode(patient: Claims) -> str:
    (address,) = array(patient, "address", dict, minimum=1, maximum=1)
    only(address, _ADDRESS)
    return text(address, "postalCode", max_chars=MAX_POSTCODE_CHARS)
