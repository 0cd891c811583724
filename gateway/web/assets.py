"""Styles, scripts and pictures that .ci/build_assets.py has made: read once at the start, under names with a hash.

Only what the manifest lists is ever served: no path of a request becomes a path of a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from gateway.errors import ConfigurationError

BUILT = Path(__file__).parent / "static" / "built"
MANIFEST = "manifest.json"
STATIC_PATH = "/static/"

_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file: its bytes as they are and compressed."""

    content_type: str
    plain: bytes
    gzipped: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """`names`: from `patchwork.css` to the name with its hash; `files`: by that name."""

    names: Mapping[str, str]
    files: Mapping[str, Asset]

    def path(self, name: str) -> str:
        """Where a page finds a file by its plain name; raises KeyError for what was not built."""
        return f"{STATIC_PATH}{self.names[name]}"


def load_assets(folder: Path) -> Assets:
    """Read what the manifest lists; raises ConfigurationError that says how it is made."""
    try:
        names = orjson.loads((folder / MANIFEST).read_bytes())
        files = {name: _read(folder / name) for name in names.values()}
    except (OSError, orjson.JSONDecodeError, KeyError) as error:
        raise ConfigurationError(
            f"{folder}: the pages' styles and scripts are missing or incomplete; in a checkout, "
            "`python .ci/build_assets.py` makes them"
        ) from error
    return Assets(names=names, files=files)


def _read(path: Path) -> Asset:
    gzipped = path.with_name(f"{path.name}.gz")
    return Asset(
        content_type=_TYPES[path.suffix],
        plain=path.read_bytes(),
        gzipped=gzipped.read_bytes() if gzipped.exists() else None,
    )
