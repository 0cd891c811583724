"""Ledger entries as FHIR R4 AuditEvents, in the patterns of IHE BALP: plain dicts, one or more for each entry.

    answered, nobody known   Query                  (what was asked is on record at the asker alone)
    answered, about somebody PatientQuery, and if something left PrivacyDisclosure.Source;
                             AuthZconsent where the decision rests on consents
    asked                    Query
    received                 PrivacyDisclosure.Recipient for each member that disclosed
    any other                no pattern of BALP: a Patient Record event (Application Activity, if about nobody) with the
                             lifecycle code that fits
    key destroyed            hour and kind class are all that is left, and are told

A person is the number of their row here, never a name; a node's own questions and what came back are not tied to one.
The question's id and hash stand where BALP has the raw search: the ledger keeps no more of it.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.days import HOUR_S
from gateway.fhir import audit_codes as codes
from gateway.fhir.audit_codes import Coding, concept
from gateway.fhir.text import plain

Resource = dict[str, Any]  # one JSON object of FHIR R4

# Entry kinds that no pattern of BALP is for, as lifecycle events; others are originated.
_LIFECYCLE: Mapping[str, str] = {
    "withdrawal": "amend",
    "objection": "amend",
    "correction": "amend",
    "report-decision": "hold",
    "release": "report",
    "looked": "access",
    "erasure": "destroy",
    "retention": "destroy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A member, or the hub, as an agent: its name, and the address at which it is reached."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditor:
    """Whose ledger it is (`me`, a member id), in which federation, and what is known of members."""

    me: str
    federation: str
    hub: str
    members: Mapping[str, Party]


def audit_events(seq: int, leaf_hash: str, body: Mapping[str, Any], auditor: Auditor) -> Iterator[Resource]:
    """The events of one opened entry."""
    match body["kind"]:
        case "answered" | "break-glass":
            yield from _answered(seq, leaf_hash, body, auditor)
        case "asked":
            yield _asked(seq, leaf_hash, body, auditor)
        case "received":
            yield from _received(seq, leaf_hash, body, auditor)
        case "filler":
            return  # it records nothing that happened
        case kind:
            yield _other(seq, leaf_hash, body, auditor, _lifecycle_of(kind, body))


def erased_event(seq: int, leaf_hash: str, kind_class: str, hour: int, auditor: Auditor) -> Resource:
    """What is left of an entry whose key was destroyed."""
    kind = codes.QUERY_EVENT if kind_class == "disclosure" else codes.APPLICATION_ACTIVITY
    event = _event(seq, "erased", "", hour * HOUR_S, kind, auditor)
    return event | {
        "outcomeDesc": "Nothing more can be read of this entry: its key has been destroyed.",
        "agent": [_node(auditor, None)],
        "entity": [_leaf(leaf_hash)],
    }


def _answered(seq: int, leaf_hash: str, body: Mapping[str, Any], auditor: Auditor) -> Iterator[Resource]:
    person_id = body.get("person_id")
    asker = body["asker"]
    about = [] if person_id is None else [_patient(person_id, auditor)]
    shared: Resource = {"purposeOfEvent": [codes.reason(body["purpose"])], "outcome": codes.SUCCESS}
    client = _member(asker["member"], codes.SOURCE, auditor)
    query = _event(
        seq, "query", "Query" if person_id is None else "PatientQuery", body["at"], codes.REST, auditor, shared
    )
    yield query | {
        "subtype": [codes.SEARCH],
        "action": "E",
        "agent": [client, _node(auditor, codes.DESTINATION), _user(body)],
        "entity": [*about, _query(body), _request(body), _leaf(leaf_hash)],
    }
    if person_id is None:
        return
    if body["outcome"] == "teams":
        event = _event(seq, "disclosure", "PrivacyDisclosure.Source", body["at"], codes.EXPORT, auditor, shared)
        yield event | {
            "subtype": [codes.lifecycle("disclose")],
            "action": "R",
            "agent": [
                _node(auditor, codes.SOURCE),
                _member(asker["member"], codes.DESTINATION, auditor),
                _user(body),
            ],
            "entity": [*about, _report(body["jti"]), _leaf(leaf_hash)],
        }
    yield from _authorised(seq, body, auditor)


def _authorised(seq: int, body: Mapping[str, Any], auditor: Auditor) -> Iterator[Resource]:
    """One event where at least one decision rests on consents; the profile has no room for other entities."""
    decisions: Sequence[Mapping[str, Any]] = body.get("decisions") or ()
    consents = dict.fromkeys(consent for each in decisions if (consent := _consent_of(each)) is not None)
    if not consents:
        return
    permitted = body["outcome"] == "teams"
    event = _event(seq, "authorisation", "AuthZconsent", body["at"], codes.SECURITY_ALERT, auditor)
    event |= {"purposeOfEvent": [codes.reason(body["purpose"])]}
    if not permitted:
        event["outcomeDesc"] = ", ".join(dict.fromkeys(each.get("reason") or each["effect"] for each in decisions))
    client = _member(body["asker"]["member"], codes.APPLICATION, auditor)
    organisation = {name: client[name] for name in ("who", "requestor")}
    authoriser = {"type": concept(codes.AUTHORISER), "who": _who(auditor.me, auditor), "requestor": False}
    yield event | {
        "subtype": [codes.AUTHZ_CONSENT],
        "action": "E",
        "outcome": codes.SUCCESS if permitted else codes.REFUSED,
        "agent": [client, _user(body), {"type": concept(codes.USER_ORGANISATION)} | organisation, authoriser],
        "entity": [
            _patient(body["person_id"], auditor),
            *({"what": _entry(consent, auditor), "type": codes.CONSENT} for consent in consents),
        ],
    }


def _asked(seq: int, leaf_hash: str, body: Mapping[str, Any], auditor: Auditor) -> Resource:
    event = _event(seq, "query", "Query", body["at"], codes.REST, auditor)
    hub = {
        "type": concept(codes.DESTINATION),
        "who": {"display": auditor.federation},
        "requestor": False,
        "network": {"address": auditor.hub, "type": codes.URI_NETWORK},
    }
    asked = [_member(member, codes.ASKED, auditor) for member in body["recipients"]]
    return event | {
        "subtype": [codes.SEARCH],
        "action": "E",
        "outcome": codes.SUCCESS,
        "purposeOfEvent": [codes.reason(body["purpose"])],
        "agent": [_node(auditor, codes.SOURCE), hub, _user(body), *asked],
        "entity": [_query(body), _request(body), _leaf(leaf_hash)],
    }


def _received(seq: int, leaf_hash: str, body: Mapping[str, Any], auditor: Auditor) -> Iterator[Resource]:
    disclosed = [member for member, outcome in body["outcomes"].items() if outcome == "teams"]
    for number, member in enumerate(disclosed, 1):
        event = _event(seq, f"disclosure-{number}", "PrivacyDisclosure.Recipient", body["at"], codes.IMPORT, auditor)
        yield event | {
            "subtype": [codes.lifecycle("disclose")],
            "action": "C",
            "outcome": codes.SUCCESS,
            "agent": [_member(member, codes.SOURCE, auditor), _node(auditor, codes.DESTINATION)],
            "entity": [_patient(None, auditor), _report(body["jti"]), _leaf(leaf_hash)],
        }


def _other(seq: int, leaf_hash: str, body: Mapping[str, Any], auditor: Auditor, lifecycle: str) -> Resource:
    about = [] if body.get("person_id") is None else [_patient(body["person_id"], auditor)]
    kind = codes.PATIENT_RECORD if about else codes.APPLICATION_ACTIVITY
    event = _event(seq, "record", "", body["at"], kind, auditor)
    by = plain(str(body.get("by") or body.get("recorded_by") or ""))
    officer = [{"who": {"display": by}, "requestor": True}] if by else []
    return event | {
        "subtype": [codes.lifecycle(lifecycle)],
        "outcome": codes.SUCCESS,
        "outcomeDesc": body["kind"],
        "agent": [*officer, _node(auditor, None)],
        "entity": [*about, _leaf(leaf_hash)],
    }


def _lifecycle_of(kind: str, body: Mapping[str, Any]) -> str:
    if kind == "report-decision" and body["show"]:
        return "unhold"
    return _LIFECYCLE.get(kind, "originate")


def _event(
    seq: int, what: str, profile: str, at: float, kind: Coding, auditor: Auditor, more: Resource | None = None
) -> Resource:
    recorded = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "resourceType": "AuditEvent",
        "id": f"{seq}-{what}",
        **({"meta": {"profile": [codes.profile(profile)]}} if profile else {}),
        "type": kind,
        "recorded": recorded,
        **(more or {}),
        "source": {"observer": _who(auditor.me, auditor), "type": [codes.SERVER]},
    }


def _who(member: str, auditor: Auditor) -> Resource:
    known = auditor.members.get(member)
    name = plain(known.name) if known is not None else ""
    return {"identifier": {"system": "urn:patchwork:member", "value": member}} | ({"display": name} if name else {})


def _member(member: str, kind: Coding, auditor: Auditor) -> Resource:
    known = auditor.members.get(member)
    address = known.address if known is not None and known.address else f"urn:patchwork:member:{member}"
    return {
        "type": concept(kind),
        "who": _who(member, auditor),
        "requestor": False,
        "network": {"address": address, "type": codes.URI_NETWORK},
    }


def _node(auditor: Auditor, kind: Coding | None) -> Resource:
    if kind is None:
        return {"who": _who(auditor.me, auditor), "requestor": False}
    return _member(auditor.me, kind, auditor)


def _user(body: Mapping[str, Any]) -> Resource:
    asker = body["asker"]
    return {
        "type": concept(codes.RECEIVER),
        "who": {
            "identifier": {
                "system": f"urn:patchwork:member:{asker['member']}:practitioner",
                "value": plain(asker["practitioner"]) or "unknown",
            }
        },
        "requestor": True,
        **({"name": name} if (name := plain(asker["name"])) else {}),
        **({"role": [{"text": role}]} if (role := plain(asker["role"])) else {}),
        "purposeOfUse": [codes.reason(body["purpose"])],
    }


def _patient(person_id: int | None, auditor: Auditor) -> Resource:
    """The person by the number of their row here; without one, masked: they are known to whoever asked."""
    what: Resource = {"type": "Patient"}
    if person_id is None:
        what |= {"extension": [{"url": codes.ABSENT, "valueCode": "masked"}]}
    else:
        what |= {"identifier": {"system": f"urn:patchwork:member:{auditor.me}:person", "value": str(person_id)}}
    return {"what": what, "type": codes.PERSON, "role": codes.PATIENT}


def _query(body: Mapping[str, Any]) -> Resource:
    told = f"jti={body['jti']}&sha256={body['query_sha256']}"
    return {
        "type": codes.SYSTEM_OBJECT,
        "role": codes.QUERY,
        "description": "Id and hash of the signed question. What it asks is not exported.",
        "query": b64encode(told.encode()).decode(),
    }


def _request(body: Mapping[str, Any]) -> Resource:
    return {"what": {"identifier": {"value": plain(body["jti"])}}, "type": codes.REQUEST_ID}


def _report(jti: str) -> Resource:
    return {"what": {"identifier": {"value": plain(jti)}}, "type": codes.SYSTEM_OBJECT, "role": codes.REPORT}


def _leaf(leaf_hash: str) -> Resource:
    """The entry itself, by which an inclusion proof finds it in the ledger's tree."""
    identifier = {"system": "urn:patchwork:ledger:leaf", "value": leaf_hash}
    return {"what": {"identifier": identifier}, "type": codes.LEDGER_ENTRY}


def _entry(seq: int, auditor: Auditor) -> Resource:
    return {"identifier": {"system": f"urn:patchwork:member:{auditor.me}:ledger", "value": str(seq)}}


def _consent_of(decision: Mapping[str, Any]) -> int | None:
    return (decision.get("consent") or {}).get("entry")
