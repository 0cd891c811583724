-- What was sent, and what went to and fro between members: beside the tree, never part of it (docs/ledger.md).

-- The exact answer and bundle of a disclosure, sealed under the secret of its entry. A row may be deleted for good
-- without touching the tree.
CREATE TABLE kept_answer (
  seq INTEGER PRIMARY KEY,
  sealed BLOB NOT NULL
) STRICT;

-- Answers that were ready too late for their asker to have had them, until they are counted.
CREATE TABLE late_answer (
  member TEXT NOT NULL,
  jti TEXT NOT NULL,
  PRIMARY KEY (member, jti)
) STRICT, WITHOUT ROWID;

-- Projection, filled when counts are wanted: questions by the hour in which they end and the other member. `asked`,
-- `received`: our questions, and answers that held; `answered`: theirs, but for those that were late.
CREATE TABLE exchange_hour (
  hour INTEGER NOT NULL,
  member TEXT NOT NULL,
  asked INTEGER NOT NULL DEFAULT 0,
  received INTEGER NOT NULL DEFAULT 0,
  answered INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (hour, member)
) STRICT, WITHOUT ROWID;

-- Projection: our questions of which nothing is on record but that they were asked, one row for each member asked.
CREATE TABLE exchange_open (
  jti TEXT NOT NULL,
  member TEXT NOT NULL,
  hour INTEGER NOT NULL,
  PRIMARY KEY (jti, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX exchange_open_by_hour ON exchange_open (member, hour);

-- One row: how far the two projections above have come.
CREATE TABLE exchange_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  next_seq INTEGER NOT NULL
) STRICT;
INSERT INTO exchange_head (id, next_seq) VALUES (1, 0);
