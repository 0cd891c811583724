"""Children's services: the tables of a case system, as a SQLite database."""

import sqlite3
from datetime import date
from pathlib import Path

from gateway.demo.registers import Register

_SENSITIVE_CODES = {True: "RESTR", False: "STD"}

_TABLES = """
CREATE TABLE team (
  team_id INTEGER PRIMARY KEY, team_name TEXT NOT NULL, service_type TEXT NOT NULL, duty_phone TEXT, duty_email TEXT,
  last_updated TEXT NOT NULL
);
CREATE TABLE worker (
  worker_id INTEGER PRIMARY KEY, surname TEXT NOT NULL, forename TEXT NOT NULL, job_title_code TEXT NOT NULL,
  work_phone TEXT, mobile TEXT, email TEXT, prefers TEXT, working_days TEXT, away_until TEXT,
  covered_by INTEGER REFERENCES worker, last_updated TEXT NOT NULL
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
            *("mobile" if worker.prefers_mobile and worker.mobile else "phone", worker.hours),
            *(worker.away_until, worker.cover, updated),
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
                *(
                    found.start,
                    found.end,
                    found.lead,
                    _SENSITIVE_CODES[found.sensitive],
                    found.last_contact,
                    0,
                    updated,
                ),
            )
        )
        rows["visit"].append((2 * number, client, worker.number, "HV", found.last_contact, "DONE", updated))
        if found.next_visit:
            rows["visit"].append((2 * number + 1, client, worker.number, "SCH", found.next_visit, "PLANNED", updated))
    rows["relationship"] = [
        (client.number, other.number, "SIBLING", updated) for client, other in register.housemates()
    ]
    with sqlite3.connect(path) as database:
        database.executescript(_TABLES)
        for table, values in rows.items():
            texts = [tuple(str(value) if isinstance(value, date) else value for value in row) for row in values]
            database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(texts[0]))})", texts)  # noqa: S608 - names of _TABLES
    database.close()
