-- What practitioners said of themselves on a page: it outlives every import (gateway/node/overlays.py). Rows are known by
-- source and key, because ids of the tables concerned are used again. `by` is an account's public id; `at` in seconds
-- since 1970.

-- Of their work with a person: that it went on (`last_confirmed`), and the first day on which it was over (`left_on`).
CREATE TABLE involvement_said (
    source_id INTEGER NOT NULL REFERENCES import_source (id),
    key TEXT NOT NULL,
    last_confirmed TEXT,
    left_on TEXT,
    by TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (source_id, key)
) WITHOUT ROWID;

-- Of how to reach them. NULL: nothing was said, so the source's word stands. `cover_key` is SOURCE:KEY of a practitioner.
CREATE TABLE practitioner_said (
    source_id INTEGER NOT NULL REFERENCES import_source (id),
    key TEXT NOT NULL,
    contact_points TEXT,
    working_pattern TEXT,
    away_until TEXT,
    cover_key TEXT,
    by TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (source_id, key)
) WITHOUT ROWID;
