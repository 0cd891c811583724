"""Whether what somebody typed into a search box is in what is known of somebody. Pure."""

import unicodedata
from collections.abc import Iterable


def plain(text: str) -> str:
    """Without case, accents and width, which people leave out when they search."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(each for each in parts if not unicodedata.combining(each)).split())


def holds(typed: str, texts: Iterable[str]) -> bool:
    """Whether each word that was typed is in one of the texts; nothing typed is in everything."""
    known = [plain(text) for text in texts]
    return all(any(word in text for text in known) for word in plain(typed).split())
