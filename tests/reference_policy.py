"""What docs/policy.md says, written out as plainly as possible and from the page alone: the judge of decide().

Facts are the plain data of tests/vectors/policy/*.toml, agreements the dictionaries of their TOML. Consent is followed
for each of the four modes by itself, so that nothing here rests on modes being ordered but `at_most`.
"""

from collections.abc import Iterable
from typing import Any

MODES = ["none", "callback", "duty-contact", "practitioner", "schedule"]
SHOWN = MODES[1:]
GRADES = ["certainly-not", "possible", "probable", "certain"]
SIGN_INS = ["operating-system", "password", "mfa"]

Facts = dict[str, Any]


def at_most(limit: str) -> set[str]:
    """The modes that a permission up to `limit` covers."""
    return set(SHOWN[: MODES.index(limit)])


def at_least(limit: str) -> set[str]:
    """The modes that a refusal from `limit` on covers."""
    return set(SHOWN[MODES.index(limit) - 1 :])


def highest(modes: Iterable[str]) -> str:
    return max(modes, key=MODES.index, default="none")


def least(*modes: str) -> str:
    return min(modes, key=MODES.index)


# Consent


class Voice:
    """All that one giver has said: a consent (or none) for each mode, what was taken back, what is objected to."""

    def __init__(self) -> None:
        self.consented = False
        self.granted: set[str] = set()
        self.named: set[str] = set()
        self.taken_back: set[str] = set()
        self.ever_objected: set[str] = set()
        self.entry: int | None = None

    @property
    def objected(self) -> set[str]:
        """An objection counts wherever no later consent that still holds permits."""
        return self.ever_objected - (self.granted - self.taken_back)


def said_about(entry: dict[str, Any], purpose: str, asker: dict[str, str], service: str) -> list[dict[str, Any]]:
    """The provisions that cover purpose, asker and service; an empty list means all."""
    who = {asker["id"], asker["type"]}
    return [
        line
        for line in entry.get("provisions", [])
        if (not line.get("purposes") or purpose in line["purposes"])
        and (not line.get("services") or service in line["services"])
        and (not line.get("recipients") or who & set(line["recipients"]))
        and not who & set(line.get("except_recipients", []))
    ]


def consent_state(facts: Facts) -> dict[str, Any]:
    """What a person's entries come to: most consented, objected modes, most consented to by name, and the entry."""
    asker, purpose, service = facts["asker"], facts["question"]["purpose"], facts["involvement"]["service"]
    voices: dict[tuple[str, str], Voice] = {}
    person = ("person", "")
    for seq, entry in enumerate(facts["consents"]):
        lines = said_about(entry, purpose, asker, service)
        if entry.get("provisions") and not lines:
            continue  # only entries with a provision that covers purpose, asker and service count
        giver = (entry.get("relation", "person"), entry.get("reference", ""))
        permits = [line for line in lines if line["permit"]]
        if giver == person and permits:  # the person's own consent replaces what representatives said before
            objections = {mode for voice in voices.values() for mode in voice.ever_objected}
            voices = {person: voices.get(person, Voice())}
            voices[person].ever_objected |= objections  # which count but for what the person's consent permits
        voice = voices.setdefault(giver, Voice())
        expired = "until" in entry and facts["today"].isoformat() > entry["until"]
        if permits:  # a giver's later consent replaces the earlier one
            covered = set().union(*(at_most(line["mode"]) for line in permits))
            by_name = [line for line in permits if service and service in line.get("services", [])]
            voice.consented, voice.entry = True, seq
            voice.granted = (
                set() if expired else covered
            )  # an expired consent permits nothing and restores no permission
            voice.named = set() if expired else set().union(*(at_most(line["mode"]) for line in by_name))
            voice.taken_back = set()
        refused = set().union(*(at_least(line["mode"]) for line in lines if not line["permit"]))
        if not entry.get("provisions"):
            refused = set(SHOWN)  # without provisions it covers everything
        voice.taken_back |= refused
        if entry["kind"] != "withdrawal" and not expired:  # a withdrawal takes permission away and is no objection
            voice.ever_objected |= refused
    return _together(voices, voices.get(person, Voice()))


def _together(voices: dict[tuple[str, str], Voice], person: Voice) -> dict[str, Any]:
    """Of several voices the narrowest holds."""
    consenting = [voice for voice in voices.values() if voice.consented]
    objected = {mode for voice in voices.values() for mode in voice.objected}
    permitted = {
        mode
        for mode in SHOWN
        if consenting
        and all(mode in voice.granted for voice in consenting)
        and not any(mode in voice.taken_back | voice.objected for voice in voices.values())
    }
    # explicit consent is the person's own, and can be no more than what is permitted at all
    return {
        "permits": highest(permitted),
        "objected": objected,
        "explicit": highest(person.named & permitted),
        "entry": max(voice.entry for voice in consenting if voice.entry is not None) if permitted else None,
    }


# A decision


def judge(  # noqa: C901, PLR0911, PLR0912 - one line of the page each
    agreement: dict[str, Any] | None, facts: Facts
) -> dict[str, Any]:
    """The decision: `effect`, and what goes with it."""
    question, involvement = facts["question"], facts["involvement"]
    # 1
    if facts["grade"] not in ("probable", "certain"):
        return deny("grade-too-low")
    if (question["purpose"] == "BTG") != ("break_glass" in question):
        return deny("break-glass-mismatch")
    if question["mode"] == "none":
        return deny("nothing-requested")
    # 2
    if agreement is None:
        return deny("no-agreement")
    if [question["agreement_uri"], question["agreement_version"]] != [agreement["uri"], agreement["version"]]:
        return deny("other-agreement")
    if not facts["in_force"] or facts["today"] < agreement["start_date"] or facts["today"] > agreement["end_date"]:
        return deny("not-in-force")
    # 3
    if facts["person_restricted"]:
        return deny("person-restricted")
    if not current(involvement, facts["today"].isoformat()):
        return deny("not-current")
    if involvement["max_mode"] == "none":
        return deny("involvement-closed")
    # 4
    rule, refusal = deciding_rule(agreement, facts)
    if rule is None:
        return refusal
    # 5
    state = consent_state(facts)
    limits = [rule["mode"], question["mode"], involvement["max_mode"]]
    shielded = involvement["sensitivity"] in ("R", "V") and question["purpose"] != "BTG"
    if shielded and state["explicit"] != "none":
        limits.append(state["explicit"])
    elif shielded and involvement["max_mode"] != "callback":
        return deny("shielded", rule["id"])
    # 6
    if rule["effect"] == "review":
        return {"effect": "review", "rule": rule["id"], "mode": least(*limits)}
    return permitted(rule, state, limits, named=involvement["sensitivity"] != "N" and state["explicit"] != "none")


def deny(reason: str, rule: str | None = None) -> dict[str, Any]:
    return {"effect": "deny", "reason": reason, "rule": rule}


def current(involvement: dict[str, Any], today: str) -> bool:
    """A partial date counts to the precision that it has."""
    start, end = involvement.get("start"), involvement.get("end")
    return (start is None or start <= today[: len(start)]) and (end is None or end >= today[: len(end)])


def named(codes: list[str], member: dict[str, str]) -> bool:
    return bool({"*", member["id"], member["type"]} & set(codes))


def deciding_rule(agreement: dict[str, Any], facts: Facts) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Any deny, deny; else any review, review; else the permit with the highest mode, ties by file order."""
    question, asker = facts["question"], facts["asker"]
    about = [
        rule
        for rule in agreement.get("rule", [])
        if question["purpose"] in rule["purposes"]
        and question["lawful_basis"] in rule["lawful_bases"]
        and named(rule["recipients"], asker)
        and not {asker["id"], asker["type"]} & set(rule.get("except_recipients", []))
        and ("*" in rule["services"] or facts["involvement"]["service"] in rule["services"])
        and facts["involvement"]["sensitivity"] in rule["sensitivity"]
    ]
    for rule in about:
        if rule["effect"] == "deny":
            return None, deny("denied-by-rule", rule["id"])
    about = [rule for rule in about if named(rule["ask"], facts["answerer"])]
    for rule in about:
        if rule["effect"] == "review":
            return rule, {}
    sure = [rule for rule in about if GRADES.index(facts["grade"]) >= GRADES.index(rule["min_grade"])]
    known = [rule for rule in sure if SIGN_INS.index(question["auth_method"]) >= SIGN_INS.index(rule["min_auth"])]
    if not known:
        return None, deny("auth-too-weak" if sure else "grade-too-low" if about else "no-rule")
    best = highest(rule["mode"] for rule in known)
    return next(rule for rule in known if rule["mode"] == best), {}


def permitted(rule: dict[str, Any], state: dict[str, Any], limits: list[str], *, named: bool) -> dict[str, Any]:
    """A permit, capped by consent where the rule needs it, and what an objection makes of it."""
    mode = least(*limits, state["permits"]) if rule["needs_consent"] else least(*limits)
    if mode == "none":
        return deny("no-consent", rule["id"])
    against = mode in state["objected"]
    if against and rule["on_objection"] == "review":
        return {"effect": "review", "rule": rule["id"], "mode": mode}
    if against and rule["on_objection"] == "deny":
        mode = highest(at_most(mode) - state["objected"])
        against = False
        if mode == "none":
            return deny("objection", rule["id"])
    return {
        "effect": "permit",
        "rule": rule["id"],
        "mode": mode,
        "obligations": rule.get("obligations", []),
        "consent": state["entry"] if rule["needs_consent"] or named else None,
        "against_objection": against,
    }
