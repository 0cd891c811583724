"""In place of gateway/app/import_worker.py: an import that never ends by itself."""

import time

time.sleep(60)
