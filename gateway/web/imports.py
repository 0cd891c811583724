"""Imports that pages start, of a configured source or an uploaded list: one at a time, for each writes the register."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from gateway.web.background import Background, Job

_IMPORT: Final = "import"


def start_import(background: Background, about: str, work: Callable[[Job], Awaitable[Any]]) -> Job:
    """Begin one, whatever the browser does; `about` is the source's name, or the upload's id.

    Raises TooManyRequests while another is under way.
    """
    return background.start(_IMPORT, work, owner="", about=about)


def import_of(background: Background, about: str) -> Job | None:
    """The last one of this source or upload, while it is kept."""
    return background.latest(_IMPORT, about=about)


def under_way(background: Background) -> str:
    """What is imported now, "" for nothing."""
    job = background.latest(_IMPORT)
    return job.about if job is not None and not job.over else ""
