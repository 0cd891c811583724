"""docs/first-federation.md: its commands, copied into one shell from top to bottom, do what the page says."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from gateway.demo.servers import free_ports
from tests.flow.commands import ROOT
from tests.flow.loaded import loaded

PAGE = (ROOT / "docs" / "first-federation.md").read_text("utf-8")
SECONDS = 240
LOADED = str(ROOT / "tests" / "flow" / "loaded.py")
PATCHWORK = """\
#!/bin/sh
case "$2" in serve) exec {python} -m gateway.cli "$@" ;; esac
exec {python} -I -S {file} {place} "$@"
"""
WAIT = """\
import sys, time, urllib.request
for place in sys.argv[1:]:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{place}", timeout=5)
            break
        except OSError:
            time.sleep(0.2)
    else:
        sys.exit(f"nobody answers at {place}")
"""


def script(ports: dict[str, int]) -> str:
    """All but the first block, which installs; with free ports, and waits as long as this machine needs."""
    _, *blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    text = "".join(blocks)
    wait = f"{shlex.quote(sys.executable)} ../wait.py"
    for places in ("9400/v1/ready", "9401/v1/ready 9402/v1/ready", "9402/v1/ready 9480/sign-in"):
        text = text.replace("sleep 5", f"{wait} {places}", 1)
    for written, name in (("9400", "hub"), ("9401", "council"), ("9402", "housing"), ("9480", "pages")):
        text = text.replace(written, str(ports[name]))
    return text.replace("patchwork search", "echo SEARCH; patchwork search")


def test_the_page_leads_from_nothing_to_a_search_an_objection_and_pages(tmp_path: Path) -> None:
    ports = free_ports({"hub": 0, "council": 0, "housing": 0, "pages": 0})
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "wait.py").write_text(WAIT)
    program = tmp_path / "bin" / "patchwork"
    program.parent.mkdir()
    program.write_text(PATCHWORK.format(python=shlex.quote(sys.executable), file=shlex.quote(LOADED), place=loaded()))
    program.chmod(0o700)
    environment = {
        **os.environ,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
    }
    with (tmp_path / "said").open("w+") as said:
        shell = subprocess.Popen(  # noqa: S603 - the page's own commands
            ["bash", "-euc", script(ports)],  # noqa: S607
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            code = shell.wait(SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)  # the servers, if the page did not come to its last line
        said.seek(0)
        told = said.read()
    assert code == 0, told
    _, first, objected, lifted = told.split("SEARCH\n")
    assert "Wendy Smith" in first.split("Recorded")[0]
    assert "01632 960123" in first
    assert "Orchard Homes has nothing to share" in objected
    assert "Wendy Smith" not in objected.split("Recorded")[0]
    assert "Wendy Smith" in lifted
    assert "County Council (childrens-services): accepted" in lifted
    assert f"http://127.0.0.1:{ports['pages']}/set-password/" in lifted
