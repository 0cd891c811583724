"""Agreements as MAIS SharingPolicy JSON (Information Governance, draft 0.1), and back. Pure.

MAIS has no place for a version, nor for rules; both travel in one extension, EXTENSION, so that what is exported and
imported again means the same. What members sign is the TOML's bytes and never this JSON: an import is a new text.
Without the extension there are no rules, and nothing is disclosed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from gateway.errors import ConfigurationError, MalformedMessage
from gateway.policy.agreement import Agreement, Effect, Rule, read_agreement
from gateway.policy.toml_text import toml_text
from gateway.wire.claims import read_claims
from gateway.wire.limits import MAX_AGREEMENT_BYTES

EXTENSION: Final = "PatchworkExtension"
MAX_POLICY_BYTES: Final = 4 * MAX_AGREEMENT_BYTES  # JSON of an agreement is longer than its TOML

_DESCRIPTION: Final = "Version and rules, for which SharingPolicy 0.1 has no field. Signatures are of the TOML's bytes."
_TEXTS: Final = {"URI": "uri", "Name": "name", "Contact": "contact"}
_LISTS: Final = {  # MAIS field: ours, and whether at least one is demanded
    "Data": ("data", True),
    "Purpose": ("purpose", True),
    "PermittedUse": ("permitted_use", True),
    "Restrictions": ("restrictions", False),
    "DataRecipientResponsibilities": ("data_recipient_responsibilities", False),
    "SecurityMeasure": ("security_measure", False),
    "LegalCompliance": ("legal_compliance", False),
}
_DATES: Final = {"StartDate": "start_date", "EndDate": "end_date"}
_KNOWN: Final = frozenset({*_TEXTS, *_LISTS, *_DATES, "Identifier", "Party", EXTENSION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """`text` is the TOML to be reviewed and signed; `of_sha256` (hex) names the text that was exported, if known."""

    text: bytes
    agreement: Agreement
    has_rules: bool
    of_sha256: str | None


def export_policy(agreement: Agreement) -> bytes:
    """The SharingPolicy as indented JSON."""
    document = {
        "URI": agreement.uri,
        "Identifier": {"value": agreement.identifier[1], "System": agreement.identifier[0]},
        "Name": agreement.name,
        "Contact": agreement.contact,
        "Party": [{"Name": party.name, "CatalogueID": list(party.members)} for party in agreement.parties],
        "Data": list(agreement.data),
        "Purpose": [purpose.value for purpose in agreement.purposes],
        "StartDate": agreement.start_date.isoformat(),
        "EndDate": agreement.end_date.isoformat(),
        "PermittedUse": list(agreement.permitted_use),
        "Restrictions": list(agreement.restrictions),
        "DataRecipientResponsibilities": list(agreement.responsibilities),
        "SecurityMeasure": list(agreement.security_measures),
        "LegalCompliance": list(agreement.legal_compliance),
        EXTENSION: {
            "Description": _DESCRIPTION,
            "Version": agreement.version,
            "AgreementSha256": agreement.sha256,
            "Rules": [_rule(rule) for rule in agreement.rules],
        },
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def import_policy(data: bytes, *, where: str, version: str) -> Imported:
    """Read a SharingPolicy; `version` is what an agreement without the extension is to be called.

    Raises ConfigurationError naming `where` and the field.
    """
    try:
        policy = read_claims(data, max_bytes=MAX_POLICY_BYTES)
    except MalformedMessage as error:
        raise ConfigurationError(f"{where}: {error}") from None
    unknown = sorted(set(policy) - _KNOWN)
    if unknown:
        raise ConfigurationError(f"{where}: {unknown[0][:40]!r} is no field of a SharingPolicy")
    extension = _Table(policy, where).table(EXTENSION) if EXTENSION in policy else None
    document = _document(_Table(policy, where), version if extension is None else extension.text("Version"))
    rules = [] if extension is None else extension.tables("Rules")
    try:
        text = toml_text(
            document | ({"rule": rules} if rules else {}), heading=(f"Imported from {_line(where)}.",)
        ).encode()
    except (TypeError, UnicodeEncodeError):
        raise ConfigurationError(f"{where}: {EXTENSION}: Rules: a value that no rule can have") from None
    return Imported(
        text=text,
        agreement=read_agreement(text, where),
        has_rules=bool(rules),
        of_sha256=None if extension is None else extension.text("AgreementSha256"),
    )


def _document(policy: "_Table", version: str) -> dict[str, Any]:
    """The TOML's keys, without rules."""
    identifier = policy.table("Identifier")
    return {
        **{ours: policy.text(theirs) for theirs, ours in _TEXTS.items()},
        "version": version,
        **{ours: policy.day(theirs) for theirs, ours in _DATES.items()},
        **{ours: policy.texts(theirs, needed=needed) for theirs, (ours, needed) in _LISTS.items()},
        "identifier": {"system": identifier.text("System"), "value": identifier.text("value")},
        "party": [
            {"name": party.text("Name"), "catalogue_id": party.texts("CatalogueID", needed=True)}
            for party in (_Table(each, f"{policy.where}: Party") for each in policy.tables("Party"))
        ],
    }


@dataclass(frozen=True, slots=True)
class _Table:
    """A JSON object read by field; every error names file and field."""

    values: Mapping[str, Any]
    where: str

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            raise self._error(name, "a text")
        return value

    def day(self, name: str) -> date:
        try:
            return date.fromisoformat(self.text(name))
        except ValueError:
            raise self._error(name, "a date such as 2026-04-01") from None

    def texts(self, name: str, *, needed: bool) -> list[str]:
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value) or (needed and not value):
            raise self._error(name, "a list of texts" + (", at least one" if needed else ""))
        return value

    def table(self, name: str) -> "_Table":
        value = self.values.get(name)
        if not isinstance(value, dict):
            raise self._error(name, "an object")
        return _Table(value, f"{self.where}: {name}")

    def tables(self, name: str) -> list[dict[str, Any]]:
        value = self.values.get(name)
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self._error(name, "a list of objects")
        return value

    def _error(self, name: str, expected: str) -> ConfigurationError:
        return ConfigurationError(f"{self.where}: {name}: must be {expected}")


def _rule(rule: Rule) -> dict[str, Any]:
    """A rule with the keys of its TOML, those that its effect may have."""
    written: dict[str, Any] = {
        "id": rule.id,
        "effect": rule.effect.value,
        "purposes": list(rule.purposes),
        "lawful_bases": list(rule.lawful_bases),
        "recipients": list(rule.recipients),
        "except_recipients": list(rule.except_recipients),
        "services": list(rule.services),
        "sensitivity": list(rule.sensitivity),
    }
    if rule.effect is not Effect.DENY and rule.disclosure_basis is not None:
        written |= {"ask": list(rule.ask), "mode": rule.mode.code, "disclosure_basis": rule.disclosure_basis.value}
        written |= {"article9_condition": rule.article9_condition} if rule.article9_condition else {}
        written |= {"obligations": list(rule.obligations)}
    if rule.effect is Effect.PERMIT:
        written |= {"needs_consent": rule.needs_consent, "on_objection": rule.on_objection.value}
        written |= {"min_grade": rule.min_grade.value, "min_auth": rule.min_auth.value}
    return written


def _line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
