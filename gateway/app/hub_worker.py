"""One of several processes of a hub, started by gateway/app/serve_workers.py:

    python -P -m gateway.app.hub_worker CONFIG PORT PROCESSES NUMBER GROUP

It says that it lives, and that it listens, in lines on standard output (signs_of_life.py). It stops at SIGTERM, or when
standard input ends because whoever started it is gone.
"""

import asyncio
import os
import resource
import sys
from pathlib import Path

import uvloop

from gateway.app.hub_shared import Sharing
from gateway.app.opening import until_stopped
from gateway.app.serve_hub import serve_hub
from gateway.app.signs_of_life import keep_saying
from gateway.errors import PatchworkError, origin
from gateway.settings import HubSettings, load_hub

LISTENS = b"listens\n"


def main() -> None:
    """Serve; what goes wrong is one line on standard error and exit code 1, as of any command."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold keys
    config, port, processes, number, group = sys.argv[1:]
    sharing = Sharing(processes=int(processes), port=int(port), number=int(number), group=group)
    try:
        uvloop.run(_serve(load_hub(Path(config)), sharing))
    except PatchworkError as error:
        sys.stderr.write(f"patchwork: {error}\n")
        sys.exit(1)
    except Exception as error:  # its message may quote a value
        sys.stderr.write(f"patchwork: {origin(error)}\n")
        sys.exit(1)


async def _serve(settings: HubSettings, sharing: Sharing) -> None:
    saying = asyncio.create_task(keep_saying(sys.stdout.fileno()))
    try:
        await serve_hub(settings, sharing=sharing, said=_say, stopped=_stopped)
    finally:
        saying.cancel()


def _say() -> None:
    sys.stdout.buffer.write(LISTENS)
    sys.stdout.buffer.flush()


async def _stopped() -> None:
    """Return at SIGTERM or SIGINT, or when nobody holds the other end of standard input any more."""
    alone = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(0, lambda: alone.set() if not os.read(0, 1) else None)
    waiting = [asyncio.create_task(until_stopped()), asyncio.create_task(alone.wait())]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    loop.remove_reader(0)
    for task in waiting:
        task.cancel()


if __name__ == "__main__":
    main()
