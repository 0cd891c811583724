"""Paths of version 1, on hubs and nodes (docs/wire.md, "HTTP of a hub" and "HTTP of a node")."""

QUERIES_PATH = "/v1/queries"
FEDERATION_PATH = "/v1/federation"
SEALING_KEYS_PATH = "/v1/sealing-keys"
ANSWERS_PATH = "/v1/answers"
CHECKPOINTS_PATH = "/v1/checkpoints"
HEALTH_PATH = "/v1/health"
READY_PATH = "/v1/ready"
COUNTS_PATH = "/v1/counts"
LINK_PATH = "/v1/link"
JOINS_PATH = "/v1/joins"


def link_path(process: str, hub: str) -> str:
    """With its query, which is signed too: `hub` is the thumbprint of a key of the hub that is dialled."""
    return f"{LINK_PATH}?process={process}&hub={hub}"


def joins_path(hub: str) -> str:
    """Where the operator asks one hub who waits; `hub` as in link_path()."""
    return f"{JOINS_PATH}?hub={hub}"
