-- Every federation document that this node has relied on, by hash, so that old answers stay verifiable.
CREATE TABLE federation_document (
    sha256 TEXT PRIMARY KEY,
    federation TEXT NOT NULL,
    seq INTEGER NOT NULL,
    token BLOB NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;

-- The highest seq ever seen of each federation, its document, and the hub's newest word that it is the newest.
CREATE TABLE federation_state (
    federation TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    sha256 TEXT NOT NULL REFERENCES federation_document (sha256),
    freshness TEXT NOT NULL,
    alarm TEXT
) STRICT;

-- Which document's members this node has accepted: as its own officer or, by configuration, the operator decided.
CREATE TABLE federation_accepted (
    federation TEXT NOT NULL,
    member TEXT NOT NULL,
    sha256 TEXT NOT NULL REFERENCES federation_document (sha256),
    accepted_at INTEGER NOT NULL,
    PRIMARY KEY (federation, member)
) STRICT;

-- The newest sealing key of each member, as the member signed it.
CREATE TABLE sealing_key (
    federation TEXT NOT NULL,
    member TEXT NOT NULL,
    statement TEXT NOT NULL,
    PRIMARY KEY (federation, member)
) STRICT;
