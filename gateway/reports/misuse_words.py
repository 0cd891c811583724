"""What each pattern of the weekly report means, for a terminal and for a page (docs/policy.md, "Misuse")."""

from collections.abc import Mapping
from typing import Final

from gateway.policy.misuse import Pattern

MEANS: Final[Mapping[Pattern, str]] = {
    Pattern.ONESELF: "somebody of the asker's own name",
    Pattern.COLLEAGUE: "somebody of the name of one of this agency's practitioners",
    Pattern.FAMILY_NAME: "somebody of the asker's family name",
    Pattern.BURST: "many different people within a short time",
    Pattern.OUT_OF_HOURS: "many different people by night or at a weekend",
    Pattern.NO_CONTACT: "no contact with the person afterwards (asked earlier; the time to wait ended this week)",
    Pattern.BUDGET: "told nothing, because a budget was used up",
}
