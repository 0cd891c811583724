"""A node that is killed while it answers: `make bench-kill` does it fifty times."""

from pathlib import Path

import pytest

from tests.bench.bench_kill import kill_again_and_again

KILLS = 1  # each costs the start of a process


@pytest.mark.parametrize("dialling", [False, True], ids=["called", "dials"])
async def test_every_answer_that_left_a_killed_node_is_on_record(tmp_path: Path, dialling: bool) -> None:
    seen = await kill_again_and_again(tmp_path, KILLS, dialling=dialling)
    assert seen.kills == KILLS
    assert len(seen.leaves) > 2 * KILLS  # more left than the first of each life
