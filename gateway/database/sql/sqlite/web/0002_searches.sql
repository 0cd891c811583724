-- What the search pages remember. Never whom somebody asked about, nor whom they called.

-- Why an account last asked, so that the form begins with it; breaking the glass is never remembered.
CREATE TABLE last_reason (
    account_id INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL CHECK (purpose <> 'BTG'),
    basis TEXT NOT NULL
) WITHOUT ROWID;

-- A call or mail link was followed, and whether it reached anybody: times alone, from which the figures take how long it
-- takes from a search to a contact. `kind` is phone, sms or email; "" where somebody only told of it afterwards.
CREATE TABLE reach (
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    search_at REAL NOT NULL,
    clicked_at REAL NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('', 'phone', 'sms', 'email')),
    answered TEXT CHECK (answered IN ('yes', 'no', 'not-yet')),
    answered_at REAL
);
CREATE INDEX reach_account ON reach (account_id);
CREATE INDEX reach_clicked ON reach (clicked_at);
