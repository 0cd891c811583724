"""Files are replaced whole, private, and without following what others have laid out."""

import stat
from pathlib import Path

from gateway.files import replace_file


def test_a_link_in_the_way_is_replaced_and_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep me")
    target = tmp_path / "housing.json"
    target.symlink_to(precious)
    (tmp_path / "housing.json.new").symlink_to(precious)
    replace_file(target, b"{}")
    assert precious.read_text() == "keep me"
    assert target.read_bytes() == b"{}"
    assert not target.is_symlink()


def test_what_is_written_is_private_and_leaves_no_draft(tmp_path: Path) -> None:
    target = tmp_path / "housing.json"
    target.write_text("old")
    target.chmod(0o666)
    replace_file(target, b"{}")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["housing.json"]
