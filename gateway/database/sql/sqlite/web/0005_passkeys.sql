-- Passkeys (WebAuthn): each is one key pair on somebody's device, of which this is the public half (COSE). `sign_count` is
-- the device's own count of uses, 0 where it keeps none: if it ever falls, the key may have been copied.
CREATE TABLE passkey (
    credential_id BLOB PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    public_key BLOB NOT NULL,
    sign_count INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at REAL NOT NULL,
    last_used_at REAL
) WITHOUT ROWID;
CREATE INDEX passkey_account ON passkey (account_id);
