"""Commands that this program prints, made complete: whoever copies one should not have to know what is left out."""

import re
import shlex
from pathlib import Path

_NODES = re.compile(
    r"\bpatchwork (?:(?:node|ledger|people|consent) [a-z-]+|agreement sign|import|cases)\b(?! --config)"
)
_HUBS = re.compile(r"\bpatchwork hub [a-z-]+\b(?! --config)")
_OTHERWISE = frozenset({"patchwork node init"})  # names no configuration
_OF_ALL = frozenset({"patchwork node serve", "patchwork node restore", "patchwork node add-federation"})


def for_node(text: str, config: Path, federation: str = "") -> str:
    """`text` with the configuration's path in each command of a node; `federation` where it is in several."""

    def completed(found: re.Match[str]) -> str:
        command = found[0]
        if command in _OTHERWISE:
            return command
        named = f" --federation {federation}" if federation and command not in _OF_ALL else ""
        return f"{command} --config {shlex.quote(str(config))}{named}"

    return _NODES.sub(completed, text)


def for_hub(text: str, config: Path) -> str:
    """The same for commands of a hub."""
    return _HUBS.sub(lambda found: f"{found[0]} --config {shlex.quote(str(config))}", text)
