"""Finds the example configuration that comes with the program, in a checkout and in an installed wheel alike."""

from pathlib import Path

from gateway.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parent
# A wheel carries config/ as gateway/config/ (pyproject.toml); in a checkout it stands beside the package.
_PLACES = (_PACKAGE / "config", _PACKAGE.parent / "config")


def config_path(name: str) -> Path:
    """The file or folder `name` (as in `demo/federation.toml`) below config/; raises ConfigurationError."""
    for place in _PLACES:
        if (place / name).exists():
            return place / name
    raise ConfigurationError(f"config/{name} did not come with this installation")
