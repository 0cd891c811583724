"""Put on PYTHONPATH: every Python process that sees it lives forty days later (gateway/clock.py asks time.time)."""

import time

_NOW = time.time
time.time = lambda: _NOW() + 40 * 86_400
