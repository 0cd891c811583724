"""Paths of version 1, on hubs and nodes (docs/wire.md, "HTTP of a hub" and "HTTP of a node")."""

QUERIES_PATH = "/v1/queries"
FEDERATION_PATH = "/v1/federation"
SEALING_KEYS_PATH = "/v1/sealing-keys"
ANSWERS_PATH = "/v1/answers"
CHECKPOINTS_PATH = "/v1/checkpoints"
HEALTH_PATH = "/v1/health"
COUNTS_PATH = "/v1/counts"
