"""Runs a scenario in namespaces of its own: mounts and networks that nothing else on this machine sees.

A scenario is a module whose main takes a folder and fails with an AssertionError. Needs no rights where the kernel lets
anybody make namespaces, and util-linux.
"""

import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 120  # the slowest scenario on a slow machine
_UNSHARE = ("unshare", "--user", "--map-root-user")


@lru_cache
def why_not(*needed: str) -> str:
    """Why no such namespaces can be had here; empty if they can."""
    try:
        tried = subprocess.run(  # noqa: S603 - a command of our own
            [*_UNSHARE, *needed, "true"], capture_output=True, text=True, timeout=10, check=False
        )
    except OSError:
        return "unshare (util-linux) is not installed"
    return "" if tried.returncode == 0 else f"namespaces cannot be made here: {tried.stderr.strip()}"


def run_apart(module: str, folder: Path, *needed: str) -> None:
    """Run a scenario to its end; it is skipped where its namespaces cannot be had."""
    reason = why_not(*needed)
    if reason:
        pytest.skip(reason)
    ended = subprocess.run(  # noqa: S603 - our own module
        [*_UNSHARE, *needed, sys.executable, "-m", module, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
