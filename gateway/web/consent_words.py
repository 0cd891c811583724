"""What somebody says of sharing, as those who record it read it, and as it is read out to whoever says it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consent_ledger.consent import ConsentEntry, ConsentKind, Provision, Relation
from gateway.fhir.text import plain
from gateway.web.words import N_, day
from gateway.web.words import gettext as _
from mappings.vocabulary import Mode, OrganisationType, Purpose

# The most that may be told, as a choice and as the end of a sentence to the person.
MOST: Final = {
    Mode.DUTY_CONTACT: N_("That we are involved, and the duty team's number"),
    Mode.PRACTITIONER: N_("The named practitioner and how to reach them"),
    Mode.SCHEDULE: N_("The named practitioner, how to reach them, the last contact and the next visit"),
}
MOST_SAID: Final = {
    Mode.DUTY_CONTACT: N_("that we work with you, and our duty team's number"),
    Mode.PRACTITIONER: N_("who works with you, and how to reach them"),
    Mode.SCHEDULE: N_("who works with you, how to reach them, when you last met and when you meet next"),
}
# The least that may not be told.
LEAST: Final = {
    Mode.CALLBACK: N_("Nothing at all may be told"),
    Mode.DUTY_CONTACT: N_("Nobody may be told that we are involved"),
    Mode.PRACTITIONER: N_("Nobody may be told a name: only the duty team's number"),
    Mode.SCHEDULE: N_("Nobody may be told when they met or will meet"),
}
LEAST_SAID: Final = {
    Mode.CALLBACK: N_("anything at all"),
    Mode.DUTY_CONTACT: N_("that we work with you"),
    Mode.PRACTITIONER: N_("who works with you by name"),
    Mode.SCHEDULE: N_("when you last met or meet next"),
}
RELATIONS: Final = {
    Relation.PERSON: N_("The person themselves"),
    Relation.PARENT: N_("A parent"),
    Relation.GUARDIAN: N_("A guardian"),
    Relation.ATTORNEY: N_("Somebody with power of attorney"),
}
# How it was said; the English words go on record.
METHODS: Final = {
    "spoken": N_("spoken, face to face"),
    "telephone": N_("spoken, by telephone or video"),
    "signed": N_("in writing, signed"),
    "message": N_("in writing, by message or email"),
    "other": N_("in another way, such as signs or pictures"),
}
REASONS: Final = {
    Purpose.COORDINATION: N_("so that our help and theirs fit together"),
    Purpose.TREATMENT: N_("to give treatment"),
    Purpose.EMERGENCY_TREATMENT: N_("to give treatment in an emergency"),
    Purpose.SAFEGUARDING: N_("to keep somebody safe"),
    Purpose.BREAK_GLASS: N_("in an emergency in which the usual limits are set aside"),
    Purpose.SUBJECT_REQUEST: N_("because the person has asked for it"),
}
KINDS: Final = {
    OrganisationType.LOCAL_AUTHORITY: N_("councils"),
    OrganisationType.NHS_TRUST: N_("NHS trusts"),
    OrganisationType.POLICE: N_("police forces"),
    OrganisationType.SCHOOL: N_("schools"),
    OrganisationType.HOUSING: N_("housing providers"),
    OrganisationType.FIRE: N_("fire and rescue services"),
    OrganisationType.VOLUNTARY: N_("voluntary organisations"),
}
SAID: Final = {
    ConsentKind.CONSENT: N_("They agreed"),
    ConsentKind.WITHDRAWAL: N_("They took an agreement back"),
    ConsentKind.OBJECTION: N_("They do not want sharing"),
}
SAID_TO_THEM: Final = {
    ConsentKind.CONSENT: N_("You agreed"),
    ConsentKind.WITHDRAWAL: N_("You took an agreement back"),
    ConsentKind.OBJECTION: N_("You do not want sharing"),
}
RELATIONS_TO_THEM: Final = {
    Relation.PERSON: N_("You"),
    Relation.PARENT: N_("A parent, for you"),
    Relation.GUARDIAN: N_("A guardian, for you"),
    Relation.ATTORNEY: N_("Somebody with power of attorney, for you"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How codes are called here: members by id, and the viewer's own services by code."""

    members: Mapping[str, str]
    services: Mapping[str, str]


Line = tuple[str, str]  # what it is, and what was said


def lines_of(entry: ConsentEntry, names: Names, *, own: bool, to_them: bool = False) -> list[Line]:
    """An entry as a list; `own`: the viewer has recorded it, so the words that go with it are theirs to see.

    `to_them`: the client reads it.
    """
    relations = RELATIONS_TO_THEM if to_them else RELATIONS
    lines = [(_("Who says so"), _(relations[entry.giver.relation]))]
    if own and entry.giver.reference:
        lines.append((_("Which one"), plain(entry.giver.reference)))
    if own and entry.method:
        lines.append((_("How"), plain(entry.method)))
    if not entry.provisions:
        lines.append((_("What"), _(LEAST[Mode.CALLBACK])))
        lines.append((_("About whom"), _("Every agency, every reason, all our services")))
    for provision in entry.provisions:
        lines += _provision(provision, names)
    if entry.until is not None:
        lines.append((_("Until"), day(entry.until)))
    elif entry.kind is ConsentKind.CONSENT:
        lines.append((_("Until"), _("you say otherwise") if to_them else _("they say otherwise")))
    return lines


def _provision(line: Provision, names: Names) -> Iterable[Line]:
    yield (_("May be told"), _(MOST[line.mode])) if line.permit else (_("What"), _(LEAST[line.mode]))
    yield _("Which agencies"), whom(line, names)
    yield _("For which reasons"), listed(_(REASONS[each]) for each in line.purposes) or _("every reason")
    yield (
        _("Which of our services"),
        listed(names.services.get(each, each) for each in line.services) or _("all our services"),
    )


def whom(line: Provision, names: Names, *, refused: bool = False) -> str:
    """The agencies that a line is about; `refused`: to follow "do not tell"."""
    all_but = listed(_called(each, names) for each in line.except_recipients)
    if line.recipients:
        only = listed(_called(each, names) for each in line.recipients)
        return _("%(only)s, except %(but)s") % {"only": only, "but": all_but} if all_but else only
    if refused:
        return _("any agency except %(but)s") % {"but": all_but} if all_but else _("any agency")
    return _("every agency except %(but)s") % {"but": all_but} if all_but else _("every agency")


def script(entry: ConsentEntry, names: Names, agency: str, told: Sequence[str] = ()) -> list[str]:
    """What to read out before somebody agrees to this entry or asks for it, sentence by sentence.

    `told` names the agencies that may be told by what somebody agrees to, as of today.
    """
    said = [
        _("%(agency)s can tell other agencies who works with you and how to reach us. It never passes on your notes.")
        % {"agency": agency}
    ]
    if entry.giver.relation is not Relation.PERSON:
        said.insert(0, _("I say “you” for the person for whom you speak."))
    said += [_said(line, names, entry.kind) for line in entry.provisions] or [_everything(entry.kind)]
    if entry.kind is ConsentKind.CONSENT:
        if told:
            said.append(_told(entry, told))
        said.append(
            _("This ends on %(day)s, unless you agree again.") % {"day": day(entry.until)}
            if entry.until is not None
            else _("This has no end. It holds until you tell us otherwise.")
        )
        said.append(_("You do not have to agree. You can change your mind at any time: tell any of us."))
        said.append(
            _("From then on we stop what needs your agreement. What has been told by then cannot be taken back.")
        )
    if entry.kind is ConsentKind.WITHDRAWAL:
        said.append(_("What needs no agreement can still be shared. If you do not want that either, tell me."))
    said.append(_("Sometimes the law has us share all the same, as to keep somebody safe. Then it is written down."))
    said.append(_("This is about what we tell. Other agencies go by what you say to them."))
    said.append(_("You can ask us who has asked about you."))
    asks_agreement = entry.kind is ConsentKind.CONSENT
    said.append(_("Do you agree to this?") if asks_agreement else _("Is this what you want?"))
    return said


def _said(line: Provision, names: Names, kind: ConsentKind) -> str:
    who = whom(line, names, refused=not line.permit)
    if kind is ConsentKind.CONSENT:
        text = _("We may tell %(who)s: %(what)s") % {"who": who, "what": _(MOST_SAID[line.mode])}
    elif kind is ConsentKind.OBJECTION:
        text = _("You do not want us to tell %(who)s: %(what)s") % {"who": who, "what": _(LEAST_SAID[line.mode])}
    else:
        text = _("You no longer agree that we tell %(who)s: %(what)s") % {
            "who": who,
            "what": _(LEAST_SAID[line.mode]),
        }
    if line.services:
        text += _(", about our work in %(services)s") % {
            "services": listed(names.services.get(each, each) for each in line.services)
        }
    reasons = listed((_(REASONS[each]) for each in line.purposes), last=_("or"))
    return f"{text}, {reasons}." if reasons else f"{text}."


def _told(entry: ConsentEntry, told: Sequence[str]) -> str:
    more = any(not line.recipients for line in entry.provisions)
    names = listed(told)
    if more:
        return _("Today these are: %(agencies)s. Those that join later are told too.") % {"agencies": names}
    return _("Today these are: %(agencies)s.") % {"agencies": names}


def _everything(kind: ConsentKind) -> str:
    if kind is ConsentKind.WITHDRAWAL:
        return _("You take back all that you agreed to with us about sharing.")
    return _("You do not want us to tell any agency that we work with you.")


def _called(code: str, names: Names) -> str:
    if code in names.members:
        return names.members[code]
    return _(KINDS[OrganisationType(code)]) if code in set(OrganisationType) else plain(code)


def listed(words: Iterable[str], *, last: str = "") -> str:
    """`one`, `one and two`, `one, two and three`."""
    each: Sequence[str] = list(words)
    return f" {last or _('and')} ".join(filter(None, (", ".join(each[:-1]), each[-1]))) if each else ""
