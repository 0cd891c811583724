"""A summary that hides no skip, and in CI forgives none; temporary files in memory; patience on a busy machine."""

import os
import shutil
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from gateway.memory import loading

# Nearly all that a test of a federation waits for is fsync, of some forty files. In memory that costs nothing, and what
# it is for, a power cut, no test can make: those of durability kill processes and see that fsync was called.
_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder of the machine, in which pytest makes its own
_ENOUGH = 4 * 1024**3  # a container may have 64 MB there
if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ENOUGH:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

# Each worker loads all tests, and tests start this program many times. Where the machine forbids bytecode, each would
# compile all of it again; another place for it would be without that of the packages, which pip has compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# More workers than cores: an example that waits its turn is no failure. Nothing about speed is tested this way.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What all tests together have loaded, nearly all that a worker holds, is no garbage for its thousands of tests."""
    with loading():
        return (yield)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One worker more than there are cores: each waits a good part of its time, for a deadline or another process."""
    workers = yield
    return workers if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else workers + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List at the end what was skipped and why, without being asked to with -rs."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("not tested here", red=_in_ci())
        for report in skipped:
            terminalreporter.line(f"{report.nodeid}: {report.longrepr[2].removeprefix('Skipped: ')}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything must run: a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if _in_ci() and reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _in_ci() -> bool:
    return bool(os.environ.get("CI"))
