-- What erasure leaves for the counts between members, and what time limits of the counts need (docs/ledger.md).

-- Answers about people who were erased before they could be counted: without them the counts would tell their askers
-- that somebody whom they asked about was known here. A row names nobody, and goes as soon as it has been counted.
CREATE TABLE exchange_erased (
  seq INTEGER PRIMARY KEY,
  jti TEXT NOT NULL,
  member TEXT NOT NULL,
  hour INTEGER NOT NULL,
  at REAL NOT NULL
) STRICT;

-- When it was noted, in whole hours since 1970: one that nothing has been counted against by the next day is dropped.
ALTER TABLE late_answer ADD COLUMN noted_hour INTEGER NOT NULL DEFAULT 0;

-- The first hour of which counts are still kept.
CREATE INDEX exchange_open_by_end ON exchange_open (hour);
ALTER TABLE exchange_head ADD COLUMN kept_from INTEGER NOT NULL DEFAULT 0;
