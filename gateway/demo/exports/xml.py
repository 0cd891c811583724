"""The community trust's nested XML and the police's flat one."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import count
from pathlib import Path

from lxml import etree

from gateway.demo.registers import Involvement, Register, Worker

_XML_NAMESPACE = "urn:example:community-extract:2"


def community_trust(register: Register, path: Path) -> None:
    """One XML extract: services, staff, and patients with their referrals inside."""
    root = etree.Element("CommunityExtract", nsmap={None: _XML_NAMESPACE}, provider="RZ9")
    services, staff, patients = (etree.SubElement(root, name) for name in ("Services", "Staff", "Patients"))
    for team in register.teams:
        element = etree.SubElement(services, "Service", code=f"S-{team.number}")
        _texts(element, {"Name": team.name, "Type": team.code, "Telephone": team.phone, "Email": team.email})
    for worker in register.workers:
        _clinician(staff, worker)
    visits = count(1)
    for client, referrals in register.by_client():
        element = etree.SubElement(patients, "Patient", id=f"P-{client.number}", sensitive="false")
        _texts(element, {"NhsNumber": client.nhs_number})
        for use, given in (("official", client.given), ("alias", (client.known_as,))):
            if given[0]:
                name = etree.SubElement(element, "Name", use=use)
                _texts(name, {"Family": client.family})
                for part in given:
                    _texts(name, {"Given": part})
        _texts(element, {"BirthDate": client.birth_date.replace("-", "")})
        address = etree.SubElement(element, "Address", use="home", protected="false")
        _texts(address, {"Line": client.street, "City": client.town, "PostCode": client.postcode.replace(" ", "")})
        for number, found in enumerate(referrals, 1):
            _referral(element, found, f"R-{client.number}-{number}", visits)
    _write(root, path, "UTF-8")


def _clinician(staff: etree._Element, worker: Worker) -> None:
    element = etree.SubElement(staff, "Clinician", id=f"C-{worker.number}")
    _texts(etree.SubElement(element, "Name"), {"Family": worker.family, "Given": worker.given})
    _texts(element, {"Role": worker.role})
    prefers_mobile = worker.prefers_mobile and bool(worker.mobile)
    for kind, value in {"phone": worker.phone, "mobile": worker.mobile, "email": worker.email}.items():
        if value:
            preferred = kind == ("mobile" if prefers_mobile else "phone")
            etree.SubElement(element, "Contact", type=kind, preferred=_yes(preferred)).text = value
    _texts(element, {"WorkingDays": worker.hours})
    if worker.away_until:
        etree.SubElement(element, "Absence", to=f"{worker.away_until:%Y%m%d}", cover=f"C-{worker.cover}")


def _referral(patient: etree._Element, found: Involvement, key: str, visits: Iterator[int]) -> None:
    element = etree.SubElement(patient, "Referral", id=key)
    clinician = f"C-{found.worker.number}"
    _texts(
        element,
        {
            "ServiceCode": f"S-{found.worker.team.number}",
            "ClinicianId": clinician,
            "Position": f"Named {found.worker.role.lower()}" if found.lead else found.worker.role,
            "From": f"{found.start:%Y%m%d}",
            "To": f"{found.end:%Y%m%d}" if found.end else "",
            "Lead": _yes(found.lead),
            "Sensitivity": "restricted" if found.sensitive else "normal",
            "Confirmed": f"{found.last_contact:%Y%m%d}",
        },
    )
    for day, kind, status in ((found.last_contact, "CLIN", "attended"), (found.next_visit, "HOME", "booked")):
        if day:
            values = {"type": kind, "date": f"{day:%Y%m%d}", "status": status, "by": clinician}
            etree.SubElement(element, "Attendance", values, id=f"A-{next(visits)}")


def police(register: Register, path: Path) -> None:
    """A flat list of nominals, everything in attributes and capitals; officers only inside their flags."""
    root = etree.Element("nominals", force="Northshire", extracted=_day(register.today))
    references = count(1)
    for client, flags in register.by_client():
        nominal = etree.SubElement(
            root,
            "nominal",
            urn=f"NO/{client.number}",
            surname=client.family.upper(),
            forenames=" ".join(client.given).upper(),
            dob=_day(date.fromisoformat(client.birth_date))
            if len(client.birth_date) > 4
            else client.birth_date or "N/K",
            flag="NONE",
        )
        if client.known_as:
            etree.SubElement(nominal, "alias", surname=client.family.upper(), forenames=client.known_as.upper())
        place = ", ".join(filter(None, (client.street, client.town, client.postcode)))
        etree.SubElement(nominal, "location", type="HOME", text=place)
        for found in flags:
            officer = found.worker
            values = {
                "ref": f"SN/{next(references)}",
                "officer": f"{officer.family.upper()}, {officer.given}",
                "collar": str(2000 + officer.number),
                "tel": officer.phone,
                "email": officer.email,
                "unit": officer.team.code,
                "role": officer.role,
                "from": _day(found.start),
                "to": _day(found.end) if found.end else "",
                "handling": "OPEN",
                "seen": _day(found.last_contact),
                "shifts": officer.hours,
                "reviewed": _day(found.last_contact),
            }
            etree.SubElement(nominal, "flagged", values)
    for team in register.teams:
        etree.SubElement(root, "unit", code=team.code, title=team.name, tel=team.phone, email=team.email)
    _write(root, path, "ISO-8859-1")


def _texts(parent: etree._Element, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        if value:
            etree.SubElement(parent, name).text = value


def _write(root: etree._Element, path: Path, encoding: str) -> None:
    etree.ElementTree(root).write(path, encoding=encoding, xml_declaration=True, pretty_print=True)


def _yes(value: bool) -> str:
    return "true" if value else "false"


_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()


def _day(day: date) -> str:
    """As in 09-MAR-2014, whatever this machine's language."""
    return f"{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year}"
