"""The leaflet for a client, and answers to what people ask: plain English, in the language of whoever prints it.

It names nobody: what was agreed and when is all that it has of a person.
"""

from collections.abc import Iterable, Sequence

from gateway.reports.document import Document, Item, Section
from gateway.web.consent_view import Statement
from gateway.web.consent_words import listed
from gateway.web.words import gettext as _

Question = tuple[str, tuple[str, ...]]


def leaflet(
    agency: str,
    others: Sequence[str],
    made_on: str,
    statements: Sequence[tuple[Statement, str]],
    *,
    nothing: bool = False,
) -> Document:
    """The whole leaflet; `statements` is what this person said, each with its day in words.

    `nothing`: they object to anything being told.
    """
    return Document(
        title=_("Who works with you: what we tell other agencies"),
        date=made_on,
        facts=((_("From"), agency),),
        paragraphs=(
            _(
                "Several agencies may be working with you. They help you better if they can find each other. "
                "Patchwork tells them who works with a person, and how to reach them. It holds no case notes."
            ),
        ),
        sections=(
            *_agreed(statements),
            *(_shares_nothing() if nothing else _shares(others)),
            *_sections(agency, said=bool(statements) and not nothing),
        ),
    )


def questions(agency: str) -> Sequence[Question]:
    """What people ask when they are asked to agree, with answers that are true of every node."""
    return (
        (
            _("Is this Big Brother?"),
            (
                _("No. There is no big file about you. Each agency keeps its own records where they are."),
                _(
                    "Nobody can browse a list of people. Whoever asks has to name one person, say who they are and "
                    "why they ask. Each question is written down, and the record of it cannot be changed unnoticed."
                ),
                _("You can ask us who asked about you, and what they were told."),
            ),
        ),
        (
            _("Will my parents know?"),
            (
                _("Patchwork tells professionals of these agencies. It tells parents nothing."),
                _(
                    "Somebody who may act for you in law can ask who asked about you. We check first whether they may, "
                    "and we can leave out what could put you in danger."
                ),
                _("What a professional says to your parents is not part of Patchwork. Ask the one you trust about it."),
            ),
        ),
        (
            _("What happens if I say no?"),
            (
                _("You do not have to agree. We write down that you do not want it, and we go by it."),
                _(
                    "Sometimes the law lets us share all the same, or obliges us to: for example to keep a child or "
                    "an adult safe. Then it is written down that you objected."
                ),
            ),
        ),
        (
            _("What do others see of me?"),
            (
                _("Who works with you, for which service, and how to reach them. You decide if dates go with it."),
                _("Never what is in your case notes, what is wrong, or why you came to us."),
                _(
                    "Some services are confidential. Nobody is told of them unless you name that very service, or in "
                    "an emergency, which is looked into afterwards."
                ),
            ),
        ),
        (
            _("Can I stop it?"),
            (
                _("Yes, at any time: tell any of us at %(agency)s. What needs your agreement stops at once.")
                % {"agency": agency},
                _("What has been told by then cannot be taken back. We can tell you who was told what."),
            ),
        ),
    )


def _agreed(statements: Sequence[tuple[Statement, str]]) -> Iterable[Section]:
    if statements:
        items = tuple(
            Item(heading=f"{each.said}, {day}", facts=tuple((term, text) for term, text in each.lines))
            for each, day in statements
        )
        yield Section(heading=_("What is on record of what you said"), items=items)


def _shares_nothing() -> Iterable[Section]:
    yield Section(
        heading=_("What we share"),
        paragraphs=(
            _("You do not want sharing, so we tell no agency that we work with you."),
            _(
                "Only where the law lets us or obliges us to, for example to keep somebody safe, do we share all the "
                "same, and then it is written down."
            ),
        ),
    )


def _shares(others: Sequence[str]) -> Iterable[Section]:
    yield Section(
        heading=_("What we share"),
        paragraphs=(
            _("That we work with you, who does, and how to reach them. Dates of meetings only if you agree to them."),
            _("We never share case notes. We share nothing with newspapers, advertisers, family or friends."),
        ),
    )
    who = listed(others)
    yield Section(
        heading=_("With whom"),
        paragraphs=(
            (
                _("With these agencies, when they ask about you and the agreement between us allows it: %(who)s.")
                % {"who": who}
            )
            if who
            else _("With the agencies that have signed the agreement. There are no others yet."),
            _("You can leave out any of them."),
        ),
    )


def _sections(agency: str, *, said: bool) -> Iterable[Section]:
    yield Section(
        heading=_("For how long"),
        paragraphs=(
            _("As long as you said, or until you tell us otherwise.") if said else _("Until you tell us otherwise."),
            _("When somebody stops working with you, other agencies are no longer told about them."),
        ),
    )
    yield Section(
        heading=_("How to stop it"),
        paragraphs=(
            _("Tell anybody who works with you at %(agency)s, in any way you like.") % {"agency": agency},
            _("What needs your agreement then stops at once."),
            _(
                "Some sharing needs no agreement, because the law gives agencies a task. You can object to that too. "
                "Then we share only where the law lets us all the same, and it is written down."
            ),
            _("This is about %(agency)s alone. Other agencies go by what you tell them: tell each of them too.")
            % {"agency": agency},
        ),
    )
    yield Section(
        heading=_("Whom to ask"),
        paragraphs=(
            _("Ask whoever gave you this leaflet, or the data protection officer of %(agency)s.") % {"agency": agency},
            _("You may ask for a list of who asked about you and what they were told. It is free."),
            _("If you are not content with our answer, ask the Information Commissioner's Office: ico.org.uk."),
        ),
    )
    for question, answers in questions(agency):
        yield Section(heading=question, paragraphs=answers)
