-- Anonymous figures, counted as things happen: so many times on a day (UTC) by accounts that may do such work. Neither
-- a person, nor a professional, nor an account; what is shown of it is told in docs/pages.md, "Figures".
CREATE TABLE figure (
    day TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (day, name, role)
) WITHOUT ROWID;

-- The week (its Monday) in which an account was last counted among those who searched, so that it is counted once.
CREATE TABLE figure_week (
    account_id INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    week TEXT NOT NULL
) WITHOUT ROWID;
