"""Gets the system programs that some tests use; run by `make test`.

As root on Debian or Ubuntu they are installed. Elsewhere the tests that need them skip, and pytest's summary says so
(tests/conftest.py); with CI set such a skip is a failure.
"""

import os
import shutil
import subprocess

TOOLS = {"faketime": "faketime"}  # program -> Debian package


def main() -> None:
    """Install what is missing, quietly; a failure is reported and leaves it to the tests' own summary."""
    missing = sorted(package for program, package in TOOLS.items() if shutil.which(program) is None)
    apt_get = shutil.which("apt-get")
    if not missing or apt_get is None or os.geteuid() != 0:
        return
    print(f"Installing for the tests: {' '.join(missing)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
        done = subprocess.run([apt_get, *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            print(f"apt-get {' '.join(arguments)} failed; the tests that need it will say so", flush=True)
            return


main()
