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

-- Of how to reach them. `contact_points` NULL: nothing was said of it, so the source's word stands. `away_said` 1: of being
-- away something was said: until when (NULL: here), and who stands in (SOURCE:KEY of a practitioner). `source_away` is what
-- the source said then; when it says something else, that is newer and counts.
CREATE TABLE practitioner_said (
    source_id INTEGER NOT NULL REFERENCES import_source (id),
    key TEXT NOT NULL,
    contact_points TEXT,
    working_pattern TEXT,
    away_said INTEGER NOT NULL DEFAULT 0,
    away_until TEXT,
    cover_key TEXT,
    source_away TEXT,
    by TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (source_id, key)
) WITHOUT ROWID;
