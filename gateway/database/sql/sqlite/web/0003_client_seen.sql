-- What somebody saw of a client's team when they last looked, as short hashes (gateway/node/my_clients.py), so that their
-- list can tell what has changed. `person_id` is a row of node.db, which is never used for anybody else.
CREATE TABLE client_seen (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    person_id INTEGER NOT NULL,
    seen BLOB NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (account_id, person_id)
) WITHOUT ROWID;
CREATE INDEX client_seen_at ON client_seen (at);
