"""The node's append-only record of consents, decisions and disclosures."""
