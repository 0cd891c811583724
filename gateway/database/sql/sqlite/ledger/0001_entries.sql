-- The ledger. Format and meaning: docs/ledger.md. Nothing here names a person: key_id leads to one only through the
-- key store, and no longer once that key is destroyed.

-- One row per leaf; seq is its index in the tree. key_id says which secret opens it.
CREATE TABLE entry (
  seq INTEGER PRIMARY KEY,
  federation TEXT NOT NULL,
  key_id BLOB NOT NULL,
  leaf BLOB NOT NULL,
  leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT;

-- All entries under one person's key: access reports and rebuilding of projections.
CREATE INDEX entry_by_key ON entry (key_id, seq);

CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry
BEGIN
  SELECT RAISE(ABORT, 'ledger entries are never changed');
END;

CREATE TRIGGER entry_is_never_removed BEFORE DELETE ON entry
BEGIN
  SELECT RAISE(ABORT, 'ledger entries are never removed');
END;

-- Roots of full subtrees (level >= 1), so that proofs take logarithmic time. Level 0 is entry.leaf_hash.
CREATE TABLE tree_node (
  level INTEGER NOT NULL,
  position INTEGER NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

-- One row: size of the tree, roots of its full subtrees (largest first, 32 bytes each), the highest time seen, and
-- the size up to which the projections below have been applied (always the tree's, for both move in one transaction).
CREATE TABLE ledger_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL,
  peaks BLOB NOT NULL,
  clock_high REAL NOT NULL,
  projected_size INTEGER NOT NULL
) STRICT;
INSERT INTO ledger_head (id, size, peaks, clock_high, projected_size) VALUES (1, 0, x'', 0, 0);

-- Projection: which entries are a person's consents, withdrawals and objections. The newest is the consent head.
CREATE TABLE consent_entry (
  key_id BLOB NOT NULL,
  applied_seq INTEGER NOT NULL,
  federation TEXT NOT NULL,
  PRIMARY KEY (key_id, applied_seq)
) STRICT, WITHOUT ROWID;

-- Projection: the exact agreements that this node's officer has accepted.
CREATE TABLE agreement_accepted (
  federation TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  uri TEXT NOT NULL,
  version TEXT NOT NULL,
  applied_seq INTEGER NOT NULL,
  PRIMARY KEY (federation, sha256)
) STRICT, WITHOUT ROWID;

-- Questions answered, until they have expired for good: none is answered twice.
CREATE TABLE replay (
  federation TEXT NOT NULL,
  issuer TEXT NOT NULL,
  jti TEXT NOT NULL,
  keep_until INTEGER NOT NULL,
  PRIMARY KEY (federation, issuer, jti)
) STRICT, WITHOUT ROWID;
CREATE INDEX replay_by_end ON replay (keep_until);

-- Signed tree heads (C2SP checkpoints). A restored node opens a new epoch, whose first note names the old head.
CREATE TABLE checkpoint (
  epoch INTEGER NOT NULL,
  size INTEGER NOT NULL,
  root BLOB NOT NULL CHECK (length(root) = 32),
  note TEXT NOT NULL,
  signed_at INTEGER NOT NULL,
  PRIMARY KEY (epoch, size)
) STRICT, WITHOUT ROWID;

-- Witnesses' signature lines over those notes.
CREATE TABLE cosignature (
  epoch INTEGER NOT NULL,
  size INTEGER NOT NULL,
  witness TEXT NOT NULL,
  line TEXT NOT NULL,
  PRIMARY KEY (epoch, size, witness),
  FOREIGN KEY (epoch, size) REFERENCES checkpoint (epoch, size)
) STRICT, WITHOUT ROWID;
