"""The housing association's wide rows and the food bank's spreadsheet."""

import csv
from pathlib import Path

from gateway.demo.registers import Register

_TENANCY = (
    "Tenancy Ref;Tenant;DOB;Address;Postcode;NHS No;Status;Start Date;End Date;Household With;Housing Officer;"
    "Officer Ref;Officer Tel;Officer Mobile;Officer Email;Best Contact;Patch;Last Visit;Next Visit;"
    "Do Not Disclose Address"
).split(";")


def housing(register: Register, path: Path) -> None:
    """One wide row a tenancy: tenant, housing officer and visits side by side, divided by semicolons."""
    households = {client.number: other.number for client, other in register.housemates()}
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
                    *(volunteer.phone, volunteer.email, volunteer.hours, f"{found.start:%B %Y}"),
                    *(f"{found.last_contact:%d/%m/%Y}", "yes" if client.consent else "no"),
                )
            )


def _slashes(iso: str) -> str:
    """2014-03-09 as 09/03/2014; a year alone stays."""
    return "/".join(reversed(iso.split("-")))
