"""Data sharing agreements that machines enforce: TOML with the MAIS SharingPolicy fields and a table of rules.

What members sign is the SHA-256 of a file's exact bytes (policy/in_force.py), so a file is read, never written, here.
Errors are ConfigurationError and name the file and the key; an unknown key is an error.
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from gateway.errors import ConfigurationError
from gateway.policy.fields import Fields
from gateway.wire.limits import MAX_AGREEMENT_BYTES
from mappings.vocabulary import AuthMethod, LawfulBasis, MatchGrade, Mode, Purpose, Sensitivity

MAX_RULES = 200
EVERYONE = "*"

_RULE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# Article 21 gives no right to object against the first two; the third stands for the public tasks that a rule lists.
_MAY_PROCEED = (LawfulBasis.LEGAL_OBLIGATION, LawfulBasis.VITAL_INTERESTS, LawfulBasis.PUBLIC_TASK)


class Effect(StrEnum):
    """What a rule does where it applies."""

    PERMIT = "permit"
    DENY = "deny"
    REVIEW = "review"


class OnObjection(StrEnum):
    """What a permit does if the person objects."""

    DENY = "deny"
    REVIEW = "review"
    PROCEED = "proceed-and-record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `min_grade`, `min_auth`, `needs_consent` and `on_objection` limit permits, and no other effect."""

    id: str
    effect: Effect
    purposes: tuple[Purpose, ...]
    lawful_bases: tuple[LawfulBasis, ...]
    recipients: tuple[str, ...]
    except_recipients: tuple[str, ...]
    services: tuple[str, ...]
    sensitivity: tuple[Sensitivity, ...]
    ask: tuple[str, ...] = ()
    mode: Mode = Mode.NONE
    needs_consent: bool = False
    disclosure_basis: LawfulBasis | None = None
    article9_condition: str = ""
    on_objection: OnObjection = OnObjection.DENY
    min_grade: MatchGrade = MatchGrade.PROBABLE
    min_auth: AuthMethod = AuthMethod.MFA
    obligations: tuple[str, ...] = ()

    def receives(self, member: str, member_type: str) -> bool:
        """Whether this rule is about such an asker; an exception always wins."""
        if member in self.except_recipients or member_type in self.except_recipients:
            return False
        return _lists(self.recipients, member, member_type)

    def asks(self, member: str, member_type: str) -> bool:
        """Whether such a member may be asked at all under this rule."""
        return _lists(self.ask, member, member_type)

    def about(self, service: str) -> bool:
        """Whether this rule is about such a service of the answering member."""
        return EVERYONE in self.services or service in self.services


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A party by name and by its member ids (MAIS CatalogueID)."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One version of one agreement; `sha256` (hex) is of the exact bytes that were read."""

    uri: str
    version: str
    identifier: tuple[str, str]  # system, value
    name: str
    contact: str
    parties: tuple[Party, ...]
    data: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    start_date: date
    end_date: date
    permitted_use: tuple[str, ...]
    restrictions: tuple[str, ...]
    responsibilities: tuple[str, ...]
    security_measures: tuple[str, ...]
    legal_compliance: tuple[str, ...]
    rules: tuple[Rule, ...]
    sha256: str

    @property
    def members(self) -> frozenset[str]:
        """Ids of all members that are party to it."""
        return frozenset(member for party in self.parties for member in party.members)


def read_agreement(text: bytes, where: str) -> Agreement:
    """Parse the exact bytes of an agreement; `where` names the file in errors. Raises ConfigurationError."""
    if len(text) > MAX_AGREEMENT_BYTES:
        raise ConfigurationError(f"{where}: longer than {MAX_AGREEMENT_BYTES} bytes")
    try:
        document = tomllib.loads(text.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{where}: not readable as TOML: {error}") from error
    fields = Fields(document, where)
    identifier = fields.table("identifier")
    agreement = Agreement(
        uri=fields.text("uri"),
        version=fields.text("version"),
        identifier=(identifier.text("system"), identifier.text("value")),
        name=fields.text("name"),
        contact=fields.text("contact"),
        parties=tuple(_party(party) for party in fields.tables("party", most=MAX_RULES)),
        data=fields.texts("data"),
        purposes=fields.codes("purpose", Purpose),
        start_date=fields.day("start_date"),
        end_date=fields.day("end_date"),
        permitted_use=fields.texts("permitted_use"),
        restrictions=fields.texts("restrictions", ()),
        responsibilities=fields.texts("data_recipient_responsibilities", ()),
        security_measures=fields.texts("security_measure", ()),
        legal_compliance=fields.texts("legal_compliance", ()),
        # Without rules it is valid and discloses nothing, as one imported from a SharingPolicy without them.
        rules=tuple(_rule(rule) for rule in fields.tables("rule", most=MAX_RULES, least=0)),
        sha256=hashlib.sha256(text).hexdigest(),
    )
    identifier.close()
    fields.close()
    _check(agreement, where)
    return agreement


def _check(agreement: Agreement, where: str) -> None:
    """What holds between the parts of an agreement."""
    if agreement.end_date < agreement.start_date:
        raise ConfigurationError(f"{where}: end_date is before start_date")
    ids = [rule.id for rule in agreement.rules]
    for rule in agreement.rules:
        if ids.count(rule.id) > 1:
            raise ConfigurationError(f"{where}: rule id {rule.id} is used twice")
        if not set(rule.purposes) <= set(agreement.purposes):
            raise ConfigurationError(f"{where}: rule {rule.id}: purposes: not all among the agreement's purpose")
    members = [member for party in agreement.parties for member in party.members]
    if len(set(members)) != len(members):
        raise ConfigurationError(f"{where}: party: a member is listed twice")


def _party(fields: Fields) -> Party:
    party = Party(name=fields.text("name"), members=fields.texts("catalogue_id"))
    fields.close()
    return party


def _rule(fields: Fields) -> Rule:
    """One `[[rule]]`; a deny rule has only what says where it applies, a review rule nothing that limits permits."""
    rule_id = fields.text("id")
    if not _RULE_ID.fullmatch(rule_id):
        raise fields.error("id", "lower-case letters, digits and hyphens, at most 64")
    fields = fields.named(f"rule {rule_id}")
    effect = fields.code("effect", Effect)
    common: dict[str, Any] = {
        "id": rule_id,
        "effect": effect,
        "purposes": fields.codes("purposes", Purpose),
        "lawful_bases": fields.codes("lawful_bases", LawfulBasis),
        "recipients": fields.texts("recipients"),
        "except_recipients": fields.texts("except_recipients", ()),
        "services": fields.texts("services"),
        "sensitivity": fields.codes("sensitivity", Sensitivity),
    }
    if effect is not Effect.DENY:
        common |= {
            "ask": fields.texts("ask"),
            "mode": fields.mode("mode"),
            "disclosure_basis": fields.code("disclosure_basis", LawfulBasis),
            "article9_condition": fields.text("article9_condition", ""),
            "obligations": fields.texts("obligations", ()),
        }
    if effect is Effect.PERMIT:
        common |= {
            "needs_consent": fields.flag("needs_consent"),
            "on_objection": fields.code("on_objection", OnObjection),
            "min_grade": fields.code("min_grade", MatchGrade),
            "min_auth": fields.code("min_auth", AuthMethod),
        }
        if common["min_grade"].rank < MatchGrade.PROBABLE.rank:
            raise fields.error("min_grade", "probable or certain, for nothing below is ever disclosed")
        if common["on_objection"] is OnObjection.PROCEED and common["disclosure_basis"] not in _MAY_PROCEED:
            raise fields.error(
                "on_objection", f"proceed-and-record needs a disclosure_basis of {', '.join(_MAY_PROCEED)}"
            )
        if common["disclosure_basis"] is LawfulBasis.CONSENT and not common["needs_consent"]:
            raise fields.error("needs_consent", "true, for the disclosure_basis is consent")
    fields.close()
    return Rule(**common)


def _lists(codes: tuple[str, ...], member: str, member_type: str) -> bool:
    return EVERYONE in codes or member in codes or member_type in codes
