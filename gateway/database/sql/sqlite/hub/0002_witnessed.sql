-- The newest head of each epoch that this hub has cosigned of each member's ledger: numbers and hashes, nothing of
-- what is in it. It must survive: a hub that forgets what it saw would cosign a ledger that was rewritten.
CREATE TABLE witnessed (
    member  TEXT NOT NULL,
    epoch   INTEGER NOT NULL,
    size    INTEGER NOT NULL,
    note    TEXT NOT NULL,                  -- as the member signed it
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (member, epoch)
) WITHOUT ROWID;
