"""Bad and dead lines between network namespaces: a fifth of all packets lost each way, half a second to and fro."""

import shutil
from pathlib import Path

import pytest

from tests.hostile.apart import run_apart

_MISSING = ([] if Path("/dev/net/tun").exists() else ["/dev/net/tun"]) + (
    [] if shutil.which("ip") else ["ip (iproute2)"]
)


@pytest.mark.skipif(bool(_MISSING), reason=f"{', '.join(_MISSING)} not there: no line can be laid between namespaces")
def test_members_on_bad_and_dead_lines_answer_late_or_are_named_and_come_back_by_themselves(tmp_path: Path) -> None:
    run_apart("tests.hostile.bad_line", tmp_path, "--net")
