-- Who may use the pages of this node, and who is signed in. A file of its own: password hashes are in no backup of the
-- register or the ledger, and a page never waits for an import that writes the register.
--
-- `public_id` (32 hex digits, never used again) stands for the account in the ledger and in addresses. `login` is
-- casefolded; `password` is argon2id's own text; `totp_secret` is sealed with keys/web.key. `totp_step` is the last
-- time step whose code was used.
CREATE TABLE account (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    federation TEXT NOT NULL,
    login TEXT UNIQUE,
    name TEXT NOT NULL,
    job_role TEXT NOT NULL,
    password TEXT,
    password_set_at REAL,
    totp_secret BLOB,
    totp_step INTEGER NOT NULL DEFAULT 0,
    oidc_issuer TEXT,
    oidc_subject TEXT,
    email TEXT,
    phone TEXT,
    language TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL,
    disabled_at REAL,
    UNIQUE (oidc_issuer, oidc_subject)
);

-- What each may do, and who said so: a public id, or "command line".
CREATE TABLE account_role (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('practitioner', 'manager', 'governance', 'administrator', 'auditor')),
    granted_by TEXT NOT NULL,
    granted_at REAL NOT NULL,
    PRIMARY KEY (account_id, role)
) WITHOUT ROWID;

-- Which practitioners of the register are this person. By source and key, because an import may give an
-- id of a row that has gone to another.
CREATE TABLE account_worker (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (account_id, source, key)
) WITHOUT ROWID;

-- The services in which they work, in the same way.
CREATE TABLE account_service (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (account_id, source, key)
) WITHOUT ROWID;

-- Only a hash of the token is kept: who reads this table cannot sign in with it. `awaits_code`: the password was right,
-- the second factor is still to come, and nothing is shown yet. `auth_time` is when somebody last proved who they are.
CREATE TABLE session (
    token_hash BLOB PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    method TEXT NOT NULL,
    awaits_code INTEGER NOT NULL,
    device TEXT NOT NULL,
    auth_time REAL NOT NULL,
    created_at REAL NOT NULL,
    seen_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_account ON session (account_id);

-- Tries that failed or are under way, by a keyed hash of what was tried (a login, an address), so that a limit
-- survives a restart and the table names nobody.
CREATE TABLE sign_in_failure (
    key BLOB NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX sign_in_failure_key ON sign_in_failure (key, at);
CREATE INDEX sign_in_failure_at ON sign_in_failure (at);

-- A link with which somebody sets their own password, once. Only its hash is kept.
CREATE TABLE setup_link (
    hash BLOB PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    expires_at REAL NOT NULL
) WITHOUT ROWID;
