-- The secret under which a day's askers and asked people are counted; destroyed two days later.
CREATE TABLE day_key (
  federation TEXT NOT NULL,
  day INTEGER NOT NULL,
  secret BLOB NOT NULL CHECK (length(secret) = 32),
  PRIMARY KEY (federation, day)
) STRICT, WITHOUT ROWID;
