-- Whom an account described in "Add a client", so that guesses are counted (gateway/web/guesses.py). `name` and `variant`
-- are hashes under the day's key, which is destroyed two days later; `day` is days since 1970. Nothing says who is meant.
CREATE TABLE described_today (
    day INTEGER NOT NULL,
    name BLOB NOT NULL,
    variant BLOB NOT NULL,
    times INTEGER NOT NULL,
    PRIMARY KEY (day, name, variant)
) WITHOUT ROWID;
