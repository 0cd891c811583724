-- What is said on a page of services and people that were typed in (gateway/node/register.py). Known by source and key, as
-- ids of their tables are used again.

-- How confidential work for a service is at least.
CREATE TABLE service_said (
    source_id INTEGER NOT NULL REFERENCES import_source (id),
    key TEXT NOT NULL,
    sensitivity TEXT NOT NULL CHECK (sensitivity IN ('N', 'R', 'V')),
    PRIMARY KEY (source_id, key)
) WITHOUT ROWID;

-- For which of these services somebody mostly works (a key of the same source), and the day on which they left.
CREATE TABLE practitioner_place (
    source_id INTEGER NOT NULL REFERENCES import_source (id),
    key TEXT NOT NULL,
    service_key TEXT,
    left_on TEXT,
    PRIMARY KEY (source_id, key)
) WITHOUT ROWID;
