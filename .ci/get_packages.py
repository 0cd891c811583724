"""Gets the programs of the system that tests drive, unless they are there; says what to type where it may not.

Never fails: without them the tests that need them are skipped, and the test run says so.
"""

import shutil

import apt_get

from tests.browser.chromium import chromium


def missing() -> list[str]:
    """Debian's packages of what is not there."""
    wanted = {
        # Liberation has the widths of Arial, so that a page breaks its lines as it does elsewhere.
        ("chromium", "fonts-liberation"): chromium() is None,
        ("iproute2",): shutil.which("ip") is None,  # a bad line, laid between two network namespaces
        ("systemd",): shutil.which("systemd-analyze") is None,  # what it thinks of the units in contrib/
    }
    return [package for packages, absent in wanted.items() if absent for package in packages]


packages = missing()
if packages and not apt_get.install(packages):
    print("Tests that need these packages, or the same from elsewhere, will be skipped; on Debian and Ubuntu:")
    print(f"    sudo apt-get install -y {' '.join(packages)}")
