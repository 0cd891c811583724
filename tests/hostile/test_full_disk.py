"""Full disks of a member, of the hub and of the asker: nothing is disclosed or asked that is not on record."""

from pathlib import Path

from tests.hostile.apart import run_apart


def test_on_a_full_disk_nothing_leaves_unrecorded_and_with_room_again_all_goes_on(tmp_path: Path) -> None:
    run_apart("tests.hostile.full_disk", tmp_path, "--mount")
