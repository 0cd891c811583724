-- What each member has left of its questions a minute, for several hub processes that share one rate.
CREATE TABLE rate (
    member    TEXT PRIMARY KEY,
    tokens    REAL NOT NULL,                -- questions that it may ask at once
    filled_at REAL NOT NULL                 -- seconds since 1970
) WITHOUT ROWID;
