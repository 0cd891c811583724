-- What was done to an account by whoever looks after accounts: by whom (a public id, or "command line"), what, and when.
-- `detail` is a role, the fields that were changed by their names, or SOURCE:KEY of a row of the register; never what
-- stood in a field. Nobody who can reach the pages can change or remove a line.
CREATE TABLE account_change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES account (id),
    by TEXT NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX account_change_account ON account_change (account_id, id);

CREATE TRIGGER account_change_is_never_changed BEFORE UPDATE ON account_change
BEGIN
    SELECT RAISE(ABORT, 'a change to an account stays on record as it is');
END;

CREATE TRIGGER account_change_is_never_removed BEFORE DELETE ON account_change
BEGIN
    SELECT RAISE(ABORT, 'a change to an account stays on record');
END;

-- Whose rows of the register somebody else has, too, and which accounts administrators hold.
CREATE INDEX account_worker_row ON account_worker (source, key);
CREATE INDEX account_role_role ON account_role (role);
