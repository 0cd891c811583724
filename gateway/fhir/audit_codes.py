"""Codes of AuditEvents: IHE Basic Audit Log Patterns 1.1 (BALP), DICOM, ISO 21089."""

from typing import Any, Final

Coding = dict[str, str]

BALP: Final = "https://profiles.ihe.net/ITI/BALP"

_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_LIFECYCLE: Final = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_OBJECT_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


def _coding(system: str, code: str, display: str = "") -> Coding:
    return {"system": system, "code": code} | ({"display": display} if display else {})


def concept(coding: Coding) -> dict[str, Any]:
    """A CodeableConcept of one coding."""
    return {"coding": [coding]}


def profile(name: str) -> str:
    """The address of a BALP profile, as in `PatientQuery`."""
    return f"{BALP}/StructureDefinition/IHE.BasicAudit.{name}"


def reason(purpose: str) -> dict[str, Any]:
    """A purpose of use."""
    return concept(_coding(_ACT_REASON, purpose))


def lifecycle(code: str) -> Coding:
    """A record lifecycle event, as in `disclose`."""
    return _coding(_LIFECYCLE, code)


APPLICATION_ACTIVITY: Final = _coding(_DCM, "110100", "Application Activity")
EXPORT: Final = _coding(_DCM, "110106", "Export")
IMPORT: Final = _coding(_DCM, "110107", "Import")
PATIENT_RECORD: Final = _coding(_DCM, "110110", "Patient Record")
QUERY_EVENT: Final = _coding(_DCM, "110112", "Query")
SECURITY_ALERT: Final = _coding(_DCM, "110113", "Security Alert")
REST: Final = _coding("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "Restful Operation")
SEARCH: Final = _coding("http://hl7.org/fhir/restful-interaction", "search", "search")
AUTHZ_CONSENT: Final = _coding(f"{BALP}/CodeSystem/AuthZsubType", "AuthZ-Consent")

APPLICATION: Final = _coding(_DCM, "110150", "Application")
DESTINATION: Final = _coding(_DCM, "110152", "Destination Role ID")
SOURCE: Final = _coding(_DCM, "110153", "Source Role ID")
RECEIVER: Final = _coding(_PARTICIPATION, "IRCP", "information recipient")
ASKED: Final = _coding(_PARTICIPATION, "PRCP", "primary information recipient")
USER_ORGANISATION: Final = _coding("http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV", "healthcare provider")
AUTHORISER: Final = _coding(
    "http://terminology.hl7.org/CodeSystem/extra-security-role-type", "authserver", "authorization server"
)

PERSON: Final = _coding(_ENTITY_TYPE, "1", "Person")
SYSTEM_OBJECT: Final = _coding(_ENTITY_TYPE, "2", "System Object")
REQUEST_ID: Final = _coding(f"{BALP}/CodeSystem/BasicAuditEntityType", "XrequestId")
CONSENT: Final = _coding("http://hl7.org/fhir/resource-types", "Consent", "Consent")
PATIENT: Final = _coding(_OBJECT_ROLE, "1", "Patient")
REPORT: Final = _coding(_OBJECT_ROLE, "3", "Report")
QUERY: Final = _coding(_OBJECT_ROLE, "24", "Query")

SERVER: Final = _coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server")
ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
URI_NETWORK: Final = "5"  # of AuditEvent.agent.network.type
SUCCESS: Final = "0"
REFUSED: Final = "8"  # serious failure: what BALP's examples give a denied authorisation
LEDGER_ENTRY: Final = _coding(_ENTITY_TYPE, "4", "Other")
