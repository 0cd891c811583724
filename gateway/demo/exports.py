"""Writes what the five agencies recorded in the five shapes that their case systems export.

Each shape is read by the mapping of the same name, mappings/systems/demo_<name>.toml. They differ on purpose: tables,
nested XML, flat XML in attributes, a wide semicolon file in windows-1252, and a spreadsheet with two title lines.
"""

import csv
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import count, pairwise
from pathlib import Path

from lxml import etree

from gateway.demo.registers import Client, Involvement, Register

_XML_NAMESPACE = "urn:example:community-extract:2"
_SENSITIVE_CODES = {True: "RESTR", False: "STD"}

_TABLES = """
CREATE TABLE team (
  team_id INTEGER PRIMARY KEY, team_name TEXT NOT NULL, service_type TEXT NOT NULL, duty_phone TEXT, duty_email TEXT,
  last_updated TEXT NOT NULL
);
CREATE TABLE worker (
  worker_id INTEGER PRIMARY KEY, surname TEXT NOT NULL, forename TEXT NOT NULL, job_title_code TEXT NOT NULL,
  work_phone TEXT, mobile TEXT, email TEXT, prefers TEXT, working_days TEXT, last_updated TEXT NOT NULL
);
CREATE TABLE client (
  client_id INTEGER PRIMARY KEY, nhs_number TEXT, surname TEXT NOT NULL, forenames TEXT NOT NULL, known_as TEXT,
  previous_surname TEXT, date_of_birth TEXT, address_1 TEXT, address_2 TEXT, town TEXT, postcode TEXT,
  address_protected TEXT NOT NULL DEFAULT 'N', record_restricted TEXT NOT NULL DEFAULT 'N',
  deleted INTEGER NOT NULL DEFAULT 0, last_updated TEXT NOT NULL
);
CREATE TABLE allocation (
  allocation_id INTEGER PRIMARY KEY, client_id INTEGER NOT NULL REFERENCES client, worker_id INTEGER REFERENCES worker,
  team_id INTEGER NOT NULL REFERENCES team, role_code TEXT NOT NULL, start_date TEXT NOT NULL, end_date TEXT,
  is_lead INTEGER NOT NULL DEFAULT 0, sensitivity TEXT, confirmed_on TEXT, deleted INTEGER NOT NULL DEFAULT 0,
  last_updated TEXT NOT NULL
);
CREATE TABLE visit (
  visit_id INTEGER PRIMARY KEY, client_id INTEGER NOT NULL REFERENCES client, worker_id INTEGER REFERENCES worker,
  visit_type TEXT NOT NULL, visit_date TEXT NOT NULL, status TEXT NOT NULL, last_updated TEXT NOT NULL
);
CREATE TABLE relationship (
  client_id INTEGER NOT NULL REFERENCES client, other_client_id INTEGER NOT NULL REFERENCES client,
  relation TEXT NOT NULL, last_updated TEXT NOT NULL, PRIMARY KEY (client_id, other_client_id)
);
CREATE TABLE sharing_decision (
  decision_id INTEGER PRIMARY KEY, client_id INTEGER NOT NULL REFERENCES client, decision TEXT NOT NULL,
  decided_on TEXT NOT NULL, valid_until TEXT, agencies TEXT, last_updated TEXT NOT NULL
);
"""

Rows = list[tuple[object, ...]]


def childrens_services(register: Register, path: Path) -> None:
    """The tables that a reporting login reads, as a SQLite database."""
    updated = f"{register.today} 02:00:00"
    rows: dict[str, Rows] = {"visit": [], "allocation": []}
    rows["team"] = [(team.number, team.name, team.code, team.phone, team.email, updated) for team in register.teams]
    rows["worker"] = [
        (
            *(
                worker.number,
                worker.family,
                worker.given,
                worker.role,
                worker.phone,
                worker.mobile or None,
                worker.email,
            ),
            *("mobile" if worker.prefers_mobile and worker.mobile else "phone", "Mon-Fri", updated),
        )
        for worker in register.workers
    ]
    rows["client"] = [
        (
            *(client.number, client.nhs_number or None, client.family, " ".join(client.given), client.known_as or None),
            *(None, client.birth_date or None, client.street, None, client.town, client.postcode or None),
            *("N", "N", 0, updated),
        )
        for client in register.clients
    ]
    for number, found in enumerate(register.involvements, 1):
        client, worker = found.client.number, found.worker
        rows["allocation"].append(
            (
                *(number, client, worker.number, worker.team.number, "ALLOC" if found.lead else "COWORK"),
                *(found.start, found.end, found.lead, _SENSITIVE_CODES[found.sensitive], register.today, 0, updated),
            )
        )
        rows["visit"].append((2 * number, client, worker.number, "HV", found.last_contact, "DONE", updated))
        if found.next_visit:
            rows["visit"].append((2 * number + 1, client, worker.number, "SCH", found.next_visit, "PLANNED", updated))
    rows["relationship"] = [
        (client.number, other.number, "SIBLING", updated) for client, other in _households(register.clients)
    ]
    with sqlite3.connect(path) as database:
        database.executescript(_TABLES)
        for table, values in rows.items():
            texts = [tuple(str(value) if isinstance(value, date) else value for value in row) for row in values]
            database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(texts[0]))})", texts)  # noqa: S608 - names of _TABLES
    database.close()


def community_trust(register: Register, path: Path) -> None:
    """One XML extract: services, staff, and patients with their referrals inside."""
    root = etree.Element("CommunityExtract", nsmap={None: _XML_NAMESPACE}, provider="RZ9")
    services, staff, patients = (etree.SubElement(root, name) for name in ("Services", "Staff", "Patients"))
    for team in register.teams:
        element = etree.SubElement(services, "Service", code=f"S-{team.number}")
        _texts(element, {"Name": team.name, "Type": team.code, "Telephone": team.phone, "Email": team.email})
    for worker in register.workers:
        element = etree.SubElement(staff, "Clinician", id=f"C-{worker.number}")
        _texts(etree.SubElement(element, "Name"), {"Family": worker.family, "Given": worker.given})
        _texts(element, {"Role": worker.role})
        prefers_mobile = worker.prefers_mobile and bool(worker.mobile)
        ways = {"phone": worker.phone, "mobile": worker.mobile, "email": worker.email}
        for kind, value in ways.items():
            if value:
                preferred = kind == ("mobile" if prefers_mobile else "phone")
                etree.SubElement(element, "Contact", type=kind, preferred=_yes(preferred)).text = value
    visits = count(1)
    for client, referrals in _by_client(register):
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
    for client, flags in _by_client(register):
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
            }
            etree.SubElement(nominal, "flagged", values)
    for team in register.teams:
        etree.SubElement(root, "unit", code=team.code, title=team.name, tel=team.phone, email=team.email)
    _write(root, path, "ISO-8859-1")


_TENANCY = (
    "Tenancy Ref;Tenant;DOB;Address;Postcode;NHS No;Status;Start Date;End Date;Household With;Housing Officer;"
    "Officer Ref;Officer Tel;Officer Mobile;Officer Email;Best Contact;Patch;Last Visit;Next Visit;"
    "Do Not Disclose Address"
).split(";")


def housing(register: Register, path: Path) -> None:
    """One wide row a tenancy: tenant, housing officer and visits side by side, divided by semicolons."""
    households = {client.number: other.number for client, other in _households(register.clients)}
    with path.open("w", encoding="windows-1252", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(_TENANCY)
        for found in register.involvements:
            client, officer = found.client, found.worker
            other = households.get(client.number)
            rows.writerow(
                (
                    *(f"T{client.number}", f"{client.family.upper()}, {' '.join(client.given)}"),
                    *(_slashes(client.birth_date) or "01/01/1900", f"{client.street}, {client.town}", client.postcode),
                    *("", "NTQ" if found.end else "CUR", f"{found.start:%d/%m/%Y}"),
                    *(f"{found.end:%d/%m/%Y}" if found.end else "", f"T{other}" if other else ""),
                    *(f"{officer.family}, {officer.given}", f"HO{officer.number}", officer.phone, officer.mobile),
                    *(officer.email, "Mobile" if officer.prefers_mobile and officer.mobile else "Phone", "North"),
                    *(
                        f"{found.last_contact:%d/%m/%Y}",
                        f"{found.next_visit:%d/%m/%Y}" if found.next_visit else "",
                        "N",
                    ),
                )
            )


_VISITOR = (
    "First name,Surname,Born,Postcode,Phone,Volunteer,Volunteer phone,Vol. email,Days,First came,Last came,"
    "Happy for us to share?"
).split(",")


def food_bank(register: Register, path: Path) -> None:
    """A shared spreadsheet saved as CSV: two title lines, no numbers for anybody, dates as people type them."""
    blank = [""] * (len(_VISITOR) - 1)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Food bank - people we help", *blank])
        rows.writerow([f"exported from the shared sheet {register.today:%d %b %Y}", *blank])
        rows.writerow(_VISITOR)
        seen = set()
        for found in register.involvements:
            client, volunteer = found.client, found.worker
            name, born = client.known_as or client.given[0], _slashes(client.birth_date)
            if (name, client.family, born) in seen:  # the sheet knows people by nothing else
                continue
            seen.add((name, client.family, born))
            rows.writerow(
                (
                    *(name, client.family, born, client.postcode, "", f"{volunteer.given} {volunteer.family}"),
                    *(volunteer.phone, volunteer.email, "Tue & Thu", f"{found.start:%B %Y}"),
                    *(f"{found.last_contact:%d/%m/%Y}", "yes" if client.consent else "no"),
                )
            )


EXPORTS: Mapping[str, Callable[[Register, Path], None]] = {
    "childrens-services": childrens_services,
    "community-trust": community_trust,
    "police": police,
    "housing": housing,
    "food-bank": food_bank,
}


def _by_client(register: Register) -> Iterator[tuple[Client, list[Involvement]]]:
    found: dict[int, list[Involvement]] = {client.number: [] for client in register.clients}
    for involvement in register.involvements:
        found[involvement.client.number].append(involvement)
    for client in register.clients:
        yield client, found[client.number]


def _households(clients: tuple[Client, ...]) -> Iterator[tuple[Client, Client]]:
    """Each client with the one recorded before them in the same home; the people of the questions live alone."""
    for earlier, client in pairwise(clients):
        if client.household == earlier.household:
            yield client, earlier


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


def _slashes(iso: str) -> str:
    """2014-03-09 as 09/03/2014; a year alone stays."""
    return "/".join(reversed(iso.split("-")))
