"""Nicknames: Bob and Robert share a root. From the `nicknames` data package (Apache-2.0), read once."""

from functools import cache, lru_cache

from nicknames import name_triplets

from gateway.matching.normalise import CACHED_NAMES

MAX_ROOTS = 6  # of one given name that are searched and counted; "chris" is short for more


@cache
def _formal_names() -> dict[str, frozenset[str]]:
    formal: dict[str, set[str]] = {}
    for triplet in name_triplets():
        formal.setdefault(triplet.name2, set()).add(triplet.name1)
    return {nickname: frozenset(names) for nickname, names in formal.items()}


@lru_cache(maxsize=CACHED_NAMES)
def roots(token: str) -> frozenset[str]:
    """The token and every formal name of which it is a nickname."""
    return _formal_names().get(token, frozenset()) | {token}
