-- Until when this hub takes nothing whose id it would have to know from before: it was put back from a backup, and what
-- was seen after that is not in it (gateway/hub/replay.py).
CREATE TABLE restored (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    waits_until REAL NOT NULL               -- seconds since 1970
);

-- How far each member's clock was from this machine's when it last signed a request: for `patchwork doctor`.
CREATE TABLE member_clock (
    member  TEXT PRIMARY KEY,
    ahead   REAL NOT NULL,                  -- seconds, of the member's clock
    seen_at REAL NOT NULL                   -- by this machine's clock, seconds since 1970
) WITHOUT ROWID;
