-- Until when a practitioner is away, and who stands in. Deferred: of two who are stored together, either may be the other's cover.
ALTER TABLE practitioner ADD COLUMN away_until TEXT;
ALTER TABLE practitioner ADD COLUMN cover_key TEXT;
ALTER TABLE practitioner ADD COLUMN cover_id INTEGER
    REFERENCES practitioner (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX practitioner_cover ON practitioner (cover_id);
