-- Projection: governance cases (docs/ledger.md, "Cases"). What a case is about, by whom and why stands in the entries
-- that the columns ending in _seq name; times are whole hours since 1970, as a leaf shows them. It names nobody: key_id
-- leads to a person only through the key store, and caller is a keyed hash under that person's secret. told_to,
-- told_hour and reminded_hour are what the node did by itself, and stand here alone: an entry would tell that it did.
CREATE TABLE governance_case (
  opened_seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  federation TEXT NOT NULL,
  key_id BLOB NOT NULL,
  opened_hour INTEGER NOT NULL,
  caller BLOB CHECK (caller IS NULL OR length(caller) = 32),
  told_to TEXT,
  told_hour INTEGER,
  reminded_hour INTEGER,
  acknowledged_seq INTEGER,
  ended_seq INTEGER,
  applied_seq INTEGER NOT NULL,
  PRIMARY KEY (opened_seq, kind)
) STRICT, WITHOUT ROWID;

-- What is still open, oldest first: the officer's list, and what the node looks for once a minute.
CREATE INDEX governance_case_open ON governance_case (federation, opened_hour) WHERE ended_seq IS NULL;

-- Who has asked for a call about this person lately.
CREATE INDEX governance_case_caller ON governance_case (caller, opened_hour) WHERE caller IS NOT NULL;
