-- How often each asker asked on one day (days since 1970), and in which variants about whom. `name` and `variant` are
-- keyed hashes, whose key is in the key store for that day and the next (consent_ledger/budget.py). Emptied after that.
CREATE TABLE asked_today (
  day INTEGER NOT NULL,
  name BLOB NOT NULL CHECK (length(name) = 16),
  variant BLOB NOT NULL CHECK (length(variant) IN (0, 8)),
  questions INTEGER NOT NULL,
  PRIMARY KEY (day, name, variant)
) STRICT, WITHOUT ROWID;
