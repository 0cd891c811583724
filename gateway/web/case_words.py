"""How a case may be ended, as an officer reads it; to follow "What do you decide?" and "What did you find?"."""

from typing import Final

from gateway.node.cases import Ruling
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
