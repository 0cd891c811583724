"""Makes the virtual environment named as argument; on Debian and Ubuntu gets python3-venv first if it is missing.

Runs on any Python >= 3.11, before anything is installed.
"""

import importlib.util
import subprocess
import sys

import apt_get


def main() -> int:
    """Exit status 0 when the environment stands, else a message that says what to type."""
    if importlib.util.find_spec("ensurepip") is None:
        packages = ["python3-venv", f"python3.{sys.version_info.minor}-venv"]
        if not apt_get.install(packages):
            print("This Python cannot make virtual environments yet. Type this, then the same make command again:")
            print(f"    sudo apt-get install -y {packages[-1]}")
            return 1
    # A new process: ensurepip may have been installed a moment ago. --clear drops a half-made environment.
    return subprocess.run([sys.executable, "-m", "venv", "--clear", sys.argv[1]], check=False).returncode


sys.exit(main())
