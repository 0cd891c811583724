-- Lists of clients that somebody uploads. The file itself lies beside web.db until it is imported, a day at most.

-- A list that may come again: its name, and which column meant what the last time (JSON, by header). Its rows are the
-- register's source `upload-PUBLIC_ID`.
CREATE TABLE upload_list (
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    meanings TEXT NOT NULL DEFAULT '{}',
    service TEXT NOT NULL DEFAULT ''
);
CREATE INDEX upload_list_account ON upload_list (account_id);

-- One file. `header` and `meanings` are JSON lists, a meaning for each column; `skip` rows stand above the header;
-- `result` (JSON) holds counts, or why it failed. No value of a row is here.
CREATE TABLE upload (
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    list_id INTEGER NOT NULL REFERENCES upload_list (id) ON DELETE CASCADE,
    file_name TEXT NOT NULL,
    header TEXT NOT NULL,
    meanings TEXT NOT NULL,
    service TEXT NOT NULL,
    skip INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('new', 'running', 'done', 'failed')),
    result TEXT NOT NULL DEFAULT '{}',
    at REAL NOT NULL
);
CREATE INDEX upload_account ON upload (account_id);
CREATE INDEX upload_at ON upload (at);
