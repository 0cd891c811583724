-- Requests to join that came by an invitation of the operator's, until the operator fetches them. What an agency wishes
-- to be listed as: nothing of its clients. One invitation brings one key.
CREATE TABLE join_request (
    invitation  TEXT PRIMARY KEY,           -- its id
    kid         TEXT NOT NULL,              -- of the key that asks
    signed      TEXT NOT NULL,              -- the invitation, as the operator signed it
    request     TEXT NOT NULL,              -- the request, as that key signed it
    issued_at   INTEGER NOT NULL,           -- of the request: an older one never takes a newer one's place
    received_at INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL            -- when both are over, so that the invitation is not taken again
) WITHOUT ROWID;
