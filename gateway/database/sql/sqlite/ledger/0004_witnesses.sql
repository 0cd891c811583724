-- Witnesses: of this ledger, and of others' ledgers by this node (docs/ledger.md).

-- As a witness: the newest head of each epoch that this node has cosigned of another member's ledger.
CREATE TABLE witnessed (
  member TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  size INTEGER NOT NULL,
  note TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (member, epoch)
) STRICT, WITHOUT ROWID;

-- The last word of each of our own witnesses: about which head, and why not.
CREATE TABLE witness_word (
  witness TEXT NOT NULL PRIMARY KEY,
  at INTEGER NOT NULL,
  said TEXT NOT NULL CHECK (said IN ('cosigned', 'refused', 'no-word')),
  epoch INTEGER,
  size INTEGER,
  root BLOB CHECK (length(root) = 32),
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The hub's signed statements of the keys that it cosigns with, so that old cosignatures stay verifiable.
CREATE TABLE witness_key (
  witness TEXT NOT NULL,
  public BLOB NOT NULL CHECK (length(public) = 32),
  statement TEXT NOT NULL,
  PRIMARY KEY (witness, public)
) STRICT, WITHOUT ROWID;
