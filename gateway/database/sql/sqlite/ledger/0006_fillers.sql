-- How many entries that are about no question have been appended since fillers last were (consent_ledger/padding.py).
ALTER TABLE ledger_head ADD COLUMN unfilled INTEGER NOT NULL DEFAULT 0;
