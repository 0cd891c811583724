"""Gets the browser that tests/browser/ drives, unless there is one; says what to type where it may not install it.

Never fails: without a browser those tests are skipped, and the test run says so.
"""

import apt_get

from tests.browser.chromium import chromium

# Liberation has the widths of Arial, so that a page breaks its lines as it does elsewhere.
PACKAGES = ["chromium", "fonts-liberation"]

if chromium() is None and not apt_get.install(PACKAGES):
    print("No Chromium here, so the browser tests will be skipped. Install Chromium or Chrome; on Debian and Ubuntu:")
    print(f"    sudo apt-get install -y {' '.join(PACKAGES)}")
