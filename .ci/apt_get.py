"""Debian's packages for whoever types make: installed where that needs no password, else named."""

import os
import shutil
import subprocess


def install(packages: list[str]) -> bool:
    """Whether they are installed now. False without a word unless this is root on a system with apt-get."""
    apt_get = shutil.which("apt-get")
    if apt_get is None or os.geteuid() != 0:
        return False
    print(f"Installing {' and '.join(packages)} ...")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        command = [apt_get, *arguments]
        if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode != 0:
            print(f"apt-get {' '.join(arguments)} failed; its own message stands above.")
            return False
    return True
