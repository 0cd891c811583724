-- A hub's statement of the key that it cosigns with is checked by the hub keys of one federation document. Once the hub
-- has rotated its own key, a statement under the new one is needed beside that under the old.
CREATE TABLE witness_key_by_signer (
  witness TEXT NOT NULL,
  public BLOB NOT NULL CHECK (length(public) = 32),
  signed_by TEXT NOT NULL,                -- kid of the hub's key; '' of statements from before this was kept
  statement TEXT NOT NULL,
  kept_at INTEGER NOT NULL,
  PRIMARY KEY (witness, public, signed_by)
) STRICT, WITHOUT ROWID;

INSERT INTO witness_key_by_signer SELECT witness, public, '', statement, 0 FROM witness_key;
DROP TABLE witness_key;
ALTER TABLE witness_key_by_signer RENAME TO witness_key;
