-- What a hub keeps: request ids until they expire, and what members and operator have published. No envelope, no answer.

-- Ids of authenticated requests and of question envelopes, so that a restart or a second process reopens neither.
CREATE TABLE seen_id (
    kind       TEXT NOT NULL CHECK (kind IN ('request', 'question')),
    issuer     TEXT NOT NULL,               -- member id; ids of one member never collide with another's
    id         TEXT NOT NULL,
    expires_at REAL NOT NULL,               -- seconds since 1970; may be forgotten afterwards
    PRIMARY KEY (kind, issuer, id)
) WITHOUT ROWID;

CREATE INDEX seen_id_by_expiry ON seen_id (expires_at);

-- The newest federation document that this hub has accepted: it never goes back, not even after a restart.
CREATE TABLE federation_document (
    name   TEXT PRIMARY KEY,
    seq    INTEGER NOT NULL,
    token  BLOB NOT NULL                    -- the operator's JWS, as read
) WITHOUT ROWID;

-- Each member's newest sealing-key statement, as that member signed it.
CREATE TABLE sealing_key (
    member     TEXT PRIMARY KEY,
    not_before REAL NOT NULL,
    expires_at REAL NOT NULL,
    token      BLOB NOT NULL
) WITHOUT ROWID;
