-- What the key store knows of the ledger, for whoever can write ledger.db alone and moves entries to another key id.

-- How many consents, withdrawals and objections the ledger has of a person, and the number of the newest: fewer of them
-- are not the person's word, and nothing is disclosed on it.
ALTER TABLE person_key ADD COLUMN consents INTEGER NOT NULL DEFAULT 0;
ALTER TABLE person_key ADD COLUMN consent_head INTEGER NOT NULL DEFAULT -1;

-- Ids of secrets that were destroyed, with the ledger's size then, how many of its entries had stood under it, and the
-- hour (since 1970): so that an entry which nobody can read is either one of these, or damage.
CREATE TABLE destroyed_key (
  key_id BLOB NOT NULL PRIMARY KEY CHECK (length(key_id) = 16),
  federation TEXT NOT NULL,
  entries INTEGER NOT NULL,
  size INTEGER NOT NULL,
  hour INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
