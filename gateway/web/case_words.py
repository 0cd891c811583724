"""How a case may be ended, as an officer reads it; to follow "What do you decide?" and "What did you find?"."""

from typing import Final

from gateway.node.cases import Ruling
from gateway.reports.withholding import Exemption
from gateway.web.words import N_
from mappings.vocabulary import Finding

RULINGS: Final = {
    Ruling.PERMIT: N_("They may be told, by telephone"),
    Ruling.REFUSE: N_("They are told nothing"),
    Ruling.CALLED: N_("Somebody here has called them"),
    Ruling.NOT_CALLED: N_("Nobody here will call them"),
}
FINDINGS: Final = {
    Finding.JUSTIFIED: N_("It was justified"),
    Finding.TOO_MUCH: N_("The reason was good, but less would have been enough"),
    Finding.NOT_JUSTIFIED: N_("It was not justified"),
    Finding.MISUSE: N_("It was misuse"),
}
# Why a client's report may leave something out (reports/withholding.py).
EXEMPTIONS: Final = {
    Exemption.SERIOUS_HARM: N_("Telling it would be likely to do somebody serious harm"),
    Exemption.REFUGE: N_("Telling it could show where somebody lives in hiding"),
    Exemption.POLICE_ENQUIRY: N_("Telling it would hinder a police enquiry"),
    Exemption.CHILD_ABUSE: N_("It is about suspected abuse of a child, and telling it is not in the child's interest"),
    Exemption.COURT: N_("A court has said so"),
    Exemption.OTHERS_RIGHTS: N_("Telling it would harm the rights of somebody else"),
}
