"""Codes of agreements and decisions as people say them. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.policy.agreement import EVERYONE, Effect, OnObjection, Rule
from gateway.policy.cells import OTHER_SERVICES, Who
from mappings.vocabulary import AuthMethod, LawfulBasis, MatchGrade, Mode, OrganisationType, Purpose, Sensitivity

PURPOSES: Final = {
    Purpose.COORDINATION: "coordination of care",
    Purpose.TREATMENT: "treatment",
    Purpose.EMERGENCY_TREATMENT: "emergency treatment",
    Purpose.SAFEGUARDING: "safeguarding",
    Purpose.BREAK_GLASS: "break-glass",
    Purpose.SUBJECT_REQUEST: "the person's own request",
}
MODES: Final = {
    Mode.NONE: "nothing",
    Mode.CALLBACK: "nothing, but the service is asked to call back",
    Mode.DUTY_CONTACT: "agency and duty contact",
    Mode.PRACTITIONER: "named professional and how to reach them",
    Mode.SCHEDULE: "named professional, how to reach them, dates of contact",
}
SENSITIVITY: Final = {
    Sensitivity.NORMAL: "ordinary",
    Sensitivity.RESTRICTED: "restricted (R)",
    Sensitivity.VERY_RESTRICTED: "very restricted (V)",
}
BASES: Final = {basis: basis.value.replace("-", " ") for basis in LawfulBasis}
GRADES: Final = {MatchGrade.PROBABLE: "at least probable", MatchGrade.CERTAIN: "certain"}
SIGN_INS: Final = {
    AuthMethod.OPERATING_SYSTEM: "an account on the agency's machine",
    AuthMethod.PASSWORD: "at least a password",
    AuthMethod.MFA: "two factors",
}
METHODS: Final = {
    AuthMethod.OPERATING_SYSTEM: "an account on the machine",
    AuthMethod.PASSWORD: "a password",
    AuthMethod.MFA: "two factors",
}
KINDS: Final = {
    OrganisationType.LOCAL_AUTHORITY: "local authority",
    OrganisationType.NHS_TRUST: "NHS trust",
    OrganisationType.POLICE: "police force",
    OrganisationType.SCHOOL: "school",
    OrganisationType.HOUSING: "housing provider",
    OrganisationType.FIRE: "fire and rescue service",
    OrganisationType.VOLUNTARY: "voluntary organisation",
}
OBJECTIONS: Final = {
    OnObjection.DENY: "nothing that they object to is disclosed",
    OnObjection.REVIEW: "somebody at the agency asked decides",
    OnObjection.PROCEED: "it is disclosed all the same, and the objection is on record",
}
# Actions of ODRL (W3C, 2018), in which MAIS states what is permitted and forbidden.
ACTIONS: Final = {
    "odrl:aggregate": "combining it with other data",
    "odrl:anonymize": "making it anonymous",
    "odrl:archive": "archiving it",
    "odrl:copy": "copying it",
    "odrl:delete": "deleting it",
    "odrl:derive": "deriving other data from it",
    "odrl:display": "displaying it",
    "odrl:distribute": "passing it on to others",
    "odrl:index": "indexing it",
    "odrl:inform": "informing the person",
    "odrl:modify": "changing it",
    "odrl:print": "printing it",
    "odrl:read": "reading it",
    "odrl:reproduce": "copying it",
    "odrl:sell": "selling it",
    "odrl:share": "sharing it",
    "odrl:transfer": "transferring it for good",
    "odrl:use": "using it",
}

_KINDS = {code.value: said for code, said in KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How members, services and degrees are called, which readers differ in: by default as agreements write them.

    A member or a service without a name here is told by its id or code.
    """

    members: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    sensitivity: Mapping[Sensitivity, str] = field(default_factory=lambda: SENSITIVITY)
    grades: Mapping[MatchGrade, str] = field(
        default_factory=lambda: {grade: f"match {said}" for grade, said in GRADES.items()}
    )
    sign_ins: Mapping[AuthMethod, str] = field(
        default_factory=lambda: {method: f"signed in by {said}" for method, said in SIGN_INS.items()}
    )
    anybody: str = "any party"
    restricted: str = "restricted"

    def name(self, member: str) -> str:
        """Of a member."""
        return self.members.get(member, member)

    def kind_or_name(self, code: str) -> str:
        """A kind of organisation in words, else a member's name."""
        return _KINDS.get(code) or self.name(code)


AS_WRITTEN: Final = Wording()


def listed(words: Iterable[str], *, last: str = "and") -> str:
    """`one`, `one and two`, `one, two and three`."""
    each = list(words)
    return f" {last} ".join(filter(None, (", ".join(each[:-1]), each[-1]))) if each else ""


def purposes(codes: Collection[Purpose]) -> str:
    """In the vocabulary's order."""
    return listed(PURPOSES[each] for each in Purpose if each in codes)


def bases(codes: Collection[LawfulBasis]) -> str:
    """In the vocabulary's order."""
    return listed((BASES[each] for each in LawfulBasis if each in codes), last="or")


def sensitivity(codes: Collection[Sensitivity], wording: Wording = AS_WRITTEN) -> str:
    """In order."""
    return listed(wording.sensitivity[each] for each in Sensitivity if each in codes)


def services(codes: Collection[str], *, of: Collection[str] = (), wording: Wording = AS_WRITTEN) -> str:
    """Services by code or name; `of` are all that are told apart, so that all of them are `any service`."""
    if EVERYONE in codes or (of and set(codes) == set(of)):
        return "any service"
    if OTHER_SERVICES in codes:
        without = [wording.services.get(code, code) for code in sorted(set(of) - set(codes))]
        return f"any service but {listed(without)}" if without else "any other service"
    return listed(wording.services.get(code, code) for code in sorted(codes))


def recipients(codes: Collection[str], excepted: Collection[str] = (), *, wording: Wording = AS_WRITTEN) -> str:
    """Whom a rule names, by type or by member."""
    called = wording.kind_or_name
    everybody = wording.anybody if EVERYONE in codes else listed(map(called, codes), last="or")
    return f"{everybody}, but not {listed(map(called, excepted), last='or')}" if excepted else everybody


def kind(code: str) -> str:
    """A kind of organisation in words; a member id as it is."""
    return _KINDS.get(code, code)


def action(code: str) -> str:
    """An action of ODRL in words; anything else as it is."""
    return ACTIONS.get(code, code)


def parties(group: frozenset[Who], *, of: frozenset[Who], wording: Wording = AS_WRITTEN) -> str:
    """A group of parties among all (`of`): whole types and whole parties first, and who is out of it altogether."""
    if group == of:
        return wording.anybody
    out = sorted({who.member for who in of} - {who.member for who in group})
    inside = frozenset(who for who in of if who.member not in out)
    if len(out) >= len({who.member for who in inside}):
        return _parts(group, of, wording)
    if group == inside:
        return f"{wording.anybody} but {listed(map(wording.name, out), last='or')}"
    kinds = {who.type for who in group}
    excepted = [wording.name(member) for member in out if any(who.member == member and who.type in kinds for who in of)]
    return _parts(group, inside, wording) + (f", but not {listed(excepted, last='or')}" if excepted else "")


def _parts(group: frozenset[Who], of: frozenset[Who], wording: Wording) -> str:
    """Whole types, whole parties, and what is left."""
    said: list[str] = []
    left = set(group)
    for code in sorted({who.type for who in of}):
        members = {who for who in of if who.type == code}
        if members <= group:
            said.append(kind(code))
            left -= members
    for member in sorted({who.member for who in left}):
        if {who for who in of if who.member == member} <= group:
            said.append(wording.name(member))
            left = {who for who in left if who.member != member}
    for code in sorted({who.type for who in left}):
        there = sorted(wording.name(who.member) for who in left if who.type == code)
        missing = sorted(wording.name(who.member) for who in of - group if who.type == code)
        if len(missing) < len(there):
            said.append(f"{kind(code)} but not {listed(missing, last='or')}")
        else:
            said += [f"{member} (if a {kind(code)})" for member in there]
    return listed(said, last="or")


def most(rule: Rule) -> str:
    """The most that a rule lets anybody learn."""
    return "nothing" if rule.effect is Effect.DENY else MODES[rule.mode]


def conditions(rule: Rule, wording: Wording = AS_WRITTEN) -> list[str]:
    """On which conditions a rule discloses anything; empty for a denial."""
    if rule.effect is Effect.DENY:
        return []
    if rule.effect is Effect.REVIEW:
        return ["somebody at the agency asked decides", *_shield(rule, wording)]
    said = [wording.grades[rule.min_grade], wording.sign_ins[rule.min_auth]]
    if rule.needs_consent:
        said.append("the person has consented, and at most to what they consented")
    return [*said, *_shield(rule, wording)]


def objection(rule: Rule) -> str:
    """What a rule does if the person objects; empty where that has no say."""
    return OBJECTIONS[rule.on_objection] if rule.effect is Effect.PERMIT else ""


def _shield(rule: Rule, wording: Wording) -> list[str]:
    if set(rule.sensitivity) == {Sensitivity.NORMAL} or set(rule.purposes) == {Purpose.BREAK_GLASS}:
        return []
    least = f" for {wording.restricted} services" if Sensitivity.NORMAL in rule.sensitivity else ""
    return [f"the person's own consent that names the service{least}"]
