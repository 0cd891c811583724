-- A key that the member list has had waits for the operator no more, also once it has been taken out again.
ALTER TABLE join_request ADD COLUMN listed INTEGER NOT NULL DEFAULT 0 CHECK (listed IN (0, 1));
