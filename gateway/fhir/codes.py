"""The code systems of an answer, and how a kind of contact is said in them."""

from collections.abc import Mapping
from typing import Any, Final

MATCH_GRADE_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/match-grade"
# R4 has no element for these (docs/wire.md, "Bundle").
WORKING_PATTERN_EXTENSION: Final = "urn:patchwork:working-pattern"  # of a PractitionerRole: text
COVER_EXTENSION: Final = (
    "urn:patchwork:cover"  # of its notAvailable: a reference to the PractitionerRole that stands in
)
LAST_CONFIRMED_EXTENSION: Final = "urn:patchwork:last-confirmed"  # of a CareTeam.participant: a date

PARTICIPATION_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
LEAD_CODE: Final = "PPRF"  # primary performer; the MAIS involvement code of a lead professional is the same
LEAD_ROLE: Final[dict[str, Any]] = {
    "coding": [{"system": PARTICIPATION_TYPE, "code": LEAD_CODE, "display": "primary performer"}]
}

# Value set contact-kind to v3 ActEncounterCode; what is not listed is ambulatory.
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
AMBULATORY: Final = "AMB"
ENCOUNTER_CLASSES: Final[Mapping[str, str]] = {
    "home-visit": "HH",
    "school": "FLD",
    "delivery": "FLD",
    "phone": "VR",
    "video": "VR",
}

CONTACT_POINT_SYSTEMS: Final = frozenset(("phone", "email", "sms"))
CONTACT_POINT_USES: Final = frozenset(("work", "mobile"))
