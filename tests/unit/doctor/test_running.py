"""What a serving node tells `patchwork doctor` of itself, and what is made of it."""

import asyncio
import contextlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.doctor import running
from gateway.doctor.finding import Finding, Level, worst
from gateway.doctor.running import OLD_S, RUNNING_FILE, Running, check_running, keep_telling, look_at_running

NOW = 1_790_000_000.0
ONE, TWO = "https://hub.example.org", "https://hub-2.example.org"
TOLD = Running(at=NOW, settings="a", links={ONE: True, TWO: True})


def checked(told: Running | None, *, dials: bool = True) -> list[Finding]:
    return check_running(told, settings="a", dials=dials, start="patchwork node serve")


async def until_told(folder: Path, told: Running) -> None:
    async with asyncio.timeout(5):
        while look_at_running(folder, NOW) != told:  # noqa: ASYNC110 - another task's file
            await asyncio.sleep(0.01)


async def test_what_is_told_is_for_its_owner_alone_follows_what_changes_and_goes_with_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "LOOK_S", 0.01)
    file, seen = tmp_path / RUNNING_FILE, [TOLD]
    task = asyncio.create_task(keep_telling(tmp_path, lambda: seen[-1]))
    await until_told(tmp_path, TOLD)
    assert file.stat().st_mode & 0o777 == 0o600
    assert look_at_running(tmp_path, NOW + 100) == TOLD
    assert look_at_running(tmp_path, NOW + OLD_S + 1) is None
    written = file.stat().st_ino
    seen.append(replace(TOLD, at=NOW + 5))
    await asyncio.sleep(0.05)
    assert file.stat().st_ino == written  # nothing has changed
    seen.append(replace(TOLD, at=NOW + 61))
    await until_told(tmp_path, seen[-1])
    seen.append(replace(TOLD, at=NOW + 62, doubt="the ledger is behind"))
    await until_told(tmp_path, seen[-1])
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"at": "x"}', '{"at": 1, "settings": "", "doubt": "", "links": []}'])
def test_a_file_that_is_no_such_thing_tells_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / RUNNING_FILE).write_text(text)
    assert look_at_running(tmp_path, NOW) is None


def test_a_node_that_dials_and_does_not_run_or_has_no_link_is_wrong() -> None:
    (finding,) = checked(None)
    assert (finding.level, finding.do) == (Level.WRONG, "`patchwork node serve`")
    assert checked(None, dials=False) == []
    assert worst(checked(TOLD)) is Level.WELL
    (_, link) = checked(replace(TOLD, links={ONE: False, TWO: False}))
    assert (link.level, link.check) == (Level.WRONG, "link")
    (_, link) = checked(replace(TOLD, links={ONE: True, TWO: False}))
    assert (link.level, TWO in link.what, ONE in link.what) == (Level.SOON, True, False)


def test_a_node_that_goes_by_an_older_configuration_is_to_be_started_again() -> None:
    for dials in (True, False):
        findings = checked(replace(TOLD, settings="b"), dials=dials)
        assert [each.do for each in findings if each.level is Level.SOON] == ["start the node again"]
