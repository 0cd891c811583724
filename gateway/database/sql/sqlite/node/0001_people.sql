-- What one node knows of people and of who works with them. No column can hold case content.
-- JSON columns hold tuples of mappings.model values; dates are ISO 8601 text, possibly partial; times are seconds since 1970.

-- One case system or export, and how far it has been read. `current_run` fences: only that run may write for this source.
-- `fingerprint` is that of the mapping; when it changes, everything is read again.
CREATE TABLE import_source (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    federation TEXT NOT NULL,
    read_to TEXT,
    fingerprint TEXT,
    current_run INTEGER
);

-- One run of an import with its counts, for the pages and the command line. `held` records were to be removed, but the
-- guard against mass removal kept them.
CREATE TABLE import_run (
    id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES import_source (id) ON DELETE CASCADE,
    started_at REAL NOT NULL,
    finished_at REAL,
    outcome TEXT NOT NULL CHECK (outcome IN ('running', 'completed', 'held', 'failed', 'interrupted')),
    created INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0,
    removed INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    waiting INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX import_run_source ON import_run (source_id, id);

-- A record, or one field of it, that could not be used: where in the source, which field, why. Never its value.
CREATE TABLE rejected_record (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES import_run (id) ON DELETE CASCADE,
    place TEXT NOT NULL,
    field TEXT NOT NULL,
    reason TEXT NOT NULL,
    whole_record INTEGER NOT NULL
);
CREATE INDEX rejected_record_run ON rejected_record (run_id);

-- Every record that a source holds, by its kind and key there. `hash` covers its fields, so that an unchanged record
-- costs one look-up. `seen_run` is the last run that met it; 0 marks it for removal at the end of a run.
CREATE TABLE source_record (
    id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES import_source (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    hash BLOB NOT NULL,
    place TEXT NOT NULL,
    seen_run INTEGER NOT NULL,
    UNIQUE (source_id, kind, key)
);

-- Which rows of the tables below a source record gave rise to; a row that no record yields any more is removed.
CREATE TABLE record_yield (
    record_id INTEGER NOT NULL REFERENCES source_record (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    row_id INTEGER NOT NULL,
    PRIMARY KEY (record_id, kind, row_id)
) WITHOUT ROWID;
CREATE INDEX record_yield_row ON record_yield (row_id, kind);

-- A client, as one source describes them. The ledger knows people by `id`, so it is never used again: a person who is
-- removed keeps the row, emptied (`hash` NULL), and one who comes back meets the consents and withdrawals that they left.
-- `same_person` is the id under which matching knows them: their own, or that of another row that is the same person, by
-- a verified NHS number (`nhs_number`, only if it may be used for this) or by a decision (person_decision).
-- `protected_numbers` are the NHS numbers that it protects. `indexed` 0: card and match keys have yet to be written.
CREATE TABLE person (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id INTEGER NOT NULL REFERENCES import_source (id),
    federation TEXT NOT NULL,
    key TEXT NOT NULL,
    hash BLOB,
    same_person INTEGER,
    indexed INTEGER NOT NULL,
    nhs_number TEXT,
    protected_numbers TEXT,
    names TEXT NOT NULL,
    birth_date TEXT,
    addresses TEXT NOT NULL,
    identifiers TEXT NOT NULL,
    restricted INTEGER NOT NULL,
    UNIQUE (source_id, key)
);
CREATE INDEX person_same ON person (same_person);
CREATE INDEX person_nhs_number ON person (nhs_number) WHERE nhs_number IS NOT NULL;
CREATE INDEX person_unindexed ON person (same_person) WHERE indexed = 0;

-- The NHS numbers in `protected_numbers`, one a row: they join nobody, not even two rows that give them openly.
CREATE TABLE protected_number (
    number TEXT NOT NULL,
    person_id INTEGER NOT NULL REFERENCES person (id),
    PRIMARY KEY (number, person_id)
) WITHOUT ROWID;
CREATE INDEX protected_number_person ON protected_number (person_id);

-- What an officer has decided of two rows (`person_id` the lower): that they are one person (`same` 1), whatever numbers
-- say, or that they are not. It stays through every import, until somebody decides otherwise, which deletes the row. The
-- ledger has all decisions, with reasons; `ledger_seq` is this one's entry. `suspended` 1: a join that has no effect,
-- because it would connect what one of the people protects with what another gives openly.
CREATE TABLE person_decision (
    person_id INTEGER NOT NULL REFERENCES person (id),
    other_id INTEGER NOT NULL REFERENCES person (id),
    same INTEGER NOT NULL,
    decided_at REAL NOT NULL,
    decided_by TEXT NOT NULL,
    ledger_seq INTEGER NOT NULL,
    suspended INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (person_id, other_id),
    CHECK (person_id < other_id)
) WITHOUT ROWID;
CREATE INDEX person_decision_other ON person_decision (other_id);

-- An agency or a part of it, with its duty contact.
CREATE TABLE organisation (
    id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES import_source (id),
    federation TEXT NOT NULL,
    key TEXT NOT NULL,
    hash BLOB NOT NULL,
    name TEXT NOT NULL,
    type TEXT,
    identifiers TEXT NOT NULL,
    duty_contact TEXT NOT NULL,
    UNIQUE (source_id, key)
);

-- A team or service. Here and below, `..._key` is the reference as the source gave it and `..._id` the row that it means,
-- NULL until that has been imported.
CREATE TABLE service (
    id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES import_source (id),
    federation TEXT NOT NULL,
    key TEXT NOT NULL,
    hash BLOB NOT NULL,
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    organisation_key TEXT,
    organisation_id INTEGER REFERENCES organisation (id) ON DELETE SET NULL,
    duty_contact TEXT NOT NULL,
    description TEXT NOT NULL,
    UNIQUE (source_id, key)
);
CREATE INDEX service_organisation ON service (organisation_id);

-- A professional or volunteer, with contact points in order of preference.
CREATE TABLE practitioner (
    id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES import_source (id),
    federation TEXT NOT NULL,
    key TEXT NOT NULL,
    hash BLOB NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    contact_points TEXT NOT NULL,
    working_pattern TEXT NOT NULL,
    organisation_key TEXT,
    organisation_id INTEGER REFERENCES organisation (id) ON DELETE SET NULL,
    UNIQUE (source_id, key)
);
CREATE INDEX practitioner_organisation ON practitioner (organisation_id);

-- A practitioner and/or a service works with a person.
CREATE TABLE involvement (
    id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES import_source (id),
    federation TEXT NOT NULL,
    key TEXT NOT NULL,
    hash BLOB NOT NULL,
    person_key TEXT NOT NULL,
    person_id INTEGER REFERENCES person (id),
    practitioner_key TEXT,
    practitioner_id INTEGER REFERENCES practitioner (id) ON DELETE SET NULL,
    service_key TEXT,
    service_id INTEGER REFERENCES service (id) ON DELETE SET NULL,
    role TEXT NOT NULL,
    start_date TEXT,
    end_date TEXT,
    lead INTEGER NOT NULL,
    sensitivity TEXT NOT NULL,
    max_mode INTEGER NOT NULL,
    last_confirmed TEXT,
    UNIQUE (source_id, key)
);
CREATE INDEX involvement_person ON involvement (person_id);
CREATE INDEX involvement_practitioner ON involvement (practitioner_id);
CREATE INDEX involvement_service ON involvement (service_id);

-- A past contact or a planned visit: date and kind, never its content.
CREATE TABLE contact_event (
    id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES import_source (id),
    federation TEXT NOT NULL,
    key TEXT NOT NULL,
    hash BLOB NOT NULL,
    person_key TEXT NOT NULL,
    person_id INTEGER REFERENCES person (id),
    practitioner_key TEXT,
    practitioner_id INTEGER REFERENCES practitioner (id) ON DELETE SET NULL,
    kind TEXT NOT NULL,
    date TEXT NOT NULL,
    planned INTEGER NOT NULL,
    UNIQUE (source_id, key)
);
CREATE INDEX contact_event_person ON contact_event (person_id, date);
CREATE INDEX contact_event_practitioner ON contact_event (practitioner_id);

-- Two people of one source who belong together: a household or a family.
CREATE TABLE person_link (
    id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES import_source (id),
    federation TEXT NOT NULL,
    key TEXT NOT NULL,
    hash BLOB NOT NULL,
    person_key TEXT NOT NULL,
    person_id INTEGER REFERENCES person (id),
    other_key TEXT NOT NULL,
    other_id INTEGER REFERENCES person (id),
    kind TEXT NOT NULL,
    UNIQUE (source_id, key)
);
CREATE INDEX person_link_person ON person_link (person_id);
CREATE INDEX person_link_other ON person_link (other_id);

-- What a source says of a person's consent, until and after the ledger has recorded it (`recorded` 1). The ledger is the
-- truth; this row is why the same statement is not recorded twice. `withdrawn` 1: the source no longer
-- has it. `reference` is new with every change, so that the ledger can tell a repeated entry from a new one.
CREATE TABLE consent (
    id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES import_source (id),
    federation TEXT NOT NULL,
    key TEXT NOT NULL,
    hash BLOB NOT NULL,
    person_key TEXT NOT NULL,
    person_id INTEGER REFERENCES person (id),
    statement TEXT NOT NULL,
    permit INTEGER NOT NULL,
    given_on TEXT,
    reference TEXT NOT NULL,
    withdrawn INTEGER NOT NULL,
    recorded INTEGER NOT NULL,
    UNIQUE (source_id, key)
);
CREATE INDEX consent_person ON consent (person_id);
CREATE INDEX consent_unrecorded ON consent (id) WHERE recorded = 0;
CREATE UNIQUE INDEX consent_reference ON consent (reference);
