-- The key store of the ledger: a file of its own, with secure_delete, backed up apart and for a short time only.

-- The secret over everything that the ledger says of one person. Deleting the row erases all of it.
CREATE TABLE person_key (
  person_id INTEGER PRIMARY KEY,
  federation TEXT NOT NULL,
  key_id BLOB NOT NULL UNIQUE CHECK (length(key_id) = 16),
  secret BLOB NOT NULL CHECK (length(secret) = 32)
) STRICT;

-- The node's own secret of a month (`2026-11`, UTC), over entries that concern nobody known here; of governance it is that
-- of a year (`2026`), which is kept for longer.
CREATE TABLE month_key (
  federation TEXT NOT NULL,
  month TEXT NOT NULL,
  key_id BLOB NOT NULL UNIQUE CHECK (length(key_id) = 16),
  secret BLOB NOT NULL CHECK (length(secret) = 32),
  PRIMARY KEY (federation, month)
) STRICT, WITHOUT ROWID;
