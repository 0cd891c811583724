"""A fifth of all packets lost and half a second to and fro, between two network namespaces."""

import shutil
from pathlib import Path

import pytest

from tests.hostile.apart import run_apart

_MISSING = next((name for name in ("/dev/net/tun",) if not Path(name).exists()), "") or (
    "" if shutil.which("ip") else "ip (iproute2)"
)


@pytest.mark.skipif(bool(_MISSING), reason=f"{_MISSING} is not there: no line can be laid between two namespaces")
def test_a_member_on_a_bad_line_answers_late_or_is_named_and_delays_nobody(tmp_path: Path) -> None:
    run_apart("tests.hostile.bad_line", tmp_path, "--net")
