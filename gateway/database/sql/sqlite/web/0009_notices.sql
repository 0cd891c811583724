-- What people tell each other through the pages: codes, never words about a client. `person_id` is a row of node.db that
-- is never used for anybody else; a name is looked up when it is shown, to somebody who works with that person.

-- A colleague is asked to join somebody's work with a client. `role_code` is one of a fixed list
-- (gateway/accounts/invitations.py).
CREATE TABLE invitation (
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    person_id INTEGER NOT NULL,
    from_account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    to_account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    role_code TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sent', 'accepted', 'declined', 'withdrawn', 'expired')),
    reason_code TEXT,
    created_at REAL NOT NULL,
    answered_at REAL
);
CREATE INDEX invitation_to ON invitation (to_account, state);
CREATE INDEX invitation_from ON invitation (from_account, person_id);
CREATE INDEX invitation_created ON invitation (created_at);
CREATE INDEX invitation_person ON invitation (person_id);

-- What an account is told; `kind` is one of gateway/accounts/notices.py. `item` is what it is about, if that is no
-- person: an invitation, a case, a report.
CREATE TABLE notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    person_id INTEGER,
    from_account INTEGER REFERENCES account (id) ON DELETE CASCADE,
    item TEXT NOT NULL DEFAULT '',
    at REAL NOT NULL,
    read_at REAL
);
CREATE INDEX notice_account ON notice (account_id, read_at);
CREATE INDEX notice_at ON notice (at);
CREATE INDEX notice_person ON notice (person_id);

-- A phrase that somebody sent to the others around a client: one of each a day.
CREATE TABLE attention_raised (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    person_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    day TEXT NOT NULL,
    PRIMARY KEY (account_id, person_id, code, day)
) WITHOUT ROWID;
CREATE INDEX attention_raised_day ON attention_raised (day);

-- What an account could see of the others around its clients when it was last compared, as short hashes.
CREATE TABLE team_watched (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    person_id INTEGER NOT NULL,
    seen BLOB NOT NULL,
    PRIMARY KEY (account_id, person_id)
) WITHOUT ROWID;

-- Whether an account is told by email, and when. Mails go to `confirmed_email` alone, and only while the account has it.
-- Hours are local; no quiet hours where both are the same.
CREATE TABLE alert_setting (
    account_id INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    mode TEXT NOT NULL DEFAULT 'off' CHECK (mode IN ('off', 'at-once', 'daily')),
    quiet_from INTEGER NOT NULL DEFAULT 20,
    quiet_to INTEGER NOT NULL DEFAULT 7,
    digest_hour INTEGER NOT NULL DEFAULT 8,
    confirmed_email TEXT NOT NULL DEFAULT '',
    mailed_at REAL NOT NULL DEFAULT 0
);

-- A link that proves that mails to an address reach the account's owner. Only its hash is kept.
CREATE TABLE alert_link (
    account_id INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    hash BLOB NOT NULL,
    email TEXT NOT NULL,
    expires_at REAL NOT NULL
);

-- Mails that wait. No text: there is one for each kind (gateway/web/mail_text.py).
CREATE TABLE mail_due (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('alert', 'confirm')),
    due_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, kind)
) WITHOUT ROWID;
CREATE INDEX mail_due_at ON mail_due (due_at);

-- "Something is wrong here": a code about a client's record, or about a colleague's card and then without the client.
-- The colleague is known by source and key.
CREATE TABLE problem_report (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    code TEXT NOT NULL,
    person_id INTEGER,
    worker TEXT NOT NULL DEFAULT '',
    at REAL NOT NULL,
    outcome TEXT,
    resolved_by INTEGER REFERENCES account (id) ON DELETE SET NULL,
    resolved_at REAL
);
CREATE INDEX problem_report_account ON problem_report (account_id);
CREATE INDEX problem_report_person ON problem_report (person_id);

-- What people say of the pages, and what became of it. `page` is the pattern of an address, without numbers or names.
CREATE TABLE feedback (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    account_id INTEGER REFERENCES account (id) ON DELETE SET NULL,
    page TEXT NOT NULL,
    text TEXT NOT NULL,
    at REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'planned', 'done', 'not-planned')),
    answer TEXT NOT NULL DEFAULT '',
    shown INTEGER NOT NULL DEFAULT 0,
    answered_at REAL
);
CREATE INDEX feedback_account ON feedback (account_id, at);
CREATE INDEX feedback_at ON feedback (at);
