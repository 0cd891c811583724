"""Refuses to build a package without the pages' styles and scripts: it would start, and serve bare pages."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NeedsBuiltAssets(BuildHookInterface[Any]):
    """An editable install is let through: there they are made in the checkout, before or after it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Ends the build with a message when gateway/web/static/built/ has not been made."""
        manifest = Path(self.root, "gateway", "web", "static", "built", "manifest.json")
        if version != "editable" and not manifest.exists():
            self.app.abort(
                "The pages' styles and scripts are missing (gateway/web/static/built/). "
                "Type `make setup` first: it makes them, with the Node.js that requirements.lock pins."
            )
