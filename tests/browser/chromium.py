"""Finds the machine's own Chromium or Chrome, and starts it for tests."""

import os
import shutil
from pathlib import Path

from playwright.async_api import Browser, Playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ON_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
# Pages that the browser makes for its own window, each in a process that takes as long as several of ours; after them,
# what Playwright says to the same switch and is of use here, because only the last one counts.
_WITHOUT = (
    *("PreloadTopChromeWebUI", "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "AimEnabled"),
    *("WebUIToolbar", "WebUIToolbarWebView", "OmniboxEverywhere"),
    *("DestroyProfileOnBrowserClose", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "LensOverlay"),
    *("MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch"),
)
_QUIET = (  # nothing but our own pages is asked for, and nothing is kept for a next time
    "--disable-background-networking",
    "--disable-component-update",
    f"--disable-features={','.join(_WITHOUT)}",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


def chromium() -> str | None:
    """Its path, or None if the machine has none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return found or (str(_ON_MACOS) if _ON_MACOS.exists() else None)


async def launch(playwright: Playwright, path: str) -> Browser:
    """A headless browser. Its sandbox cannot be had by root, as whom a container's tests often run."""
    alone = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return await playwright.chromium.launch(executable_path=path, args=[*_QUIET, *alone])
