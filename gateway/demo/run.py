"""`patchwork demo`: five invented agencies and a hub on this machine, and three questions.

(1) make keys and exports, once; configuration and signed documents, every time
(2) import each agency's export into its own node, once
(3) start the hub and five nodes, each as its own process
(4) ask the three questions with `patchwork search`, as a practitioner would
(5) stay up, with each agency's pages, until stopped, then stop every process
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from rich.console import Console

from gateway.clock import Clock
from gateway.demo.questions import QUESTIONS, Question
from gateway.demo.servers import Servers, command, free_ports, only_one, run_together
from gateway.demo.setup import HUB, Demo, DemoMember, make_anew, make_once, open_demo, pages_of
from gateway.errors import ConfigurationError
from gateway.web.assets import BUILT, load_assets

ASKER = "childrens-services"
IMPORTED = "imported"  # file in a member's folder: its export has been read
QUESTION_S = 30.0  # most that one question may take, process start included
_LINE = Console(highlight=False, soft_wrap=True)  # commands are copied whole; prose is wrapped


def run_demo(folder: Path, *, once: bool, save: Path | None, clock: Clock) -> None:
    """Run the demonstration in `folder`. `once` ends after the questions; `save` gets question one's verified Bundles.

    Raises ConfigurationError when something does not start, or a question does not find what it must.
    """
    _stop_on_sigterm()
    demo = open_demo(folder)
    with only_one(demo.folder), Servers(demo.folder) as servers:
        load_assets(BUILT)  # else every node would say so, each in its own log
        ports = free_ports(demo.ports)
        doors = {name: ports[name] for name in (HUB, *(member.id for member in demo.members))}
        before = all((demo.folder / member.id / IMPORTED).exists() for member in demo.members)
        make_once(demo, clock.now())  # (1)
        make_anew(demo, ports, clock.now())
        _import(demo, servers)  # (2)
        servers.start(HUB, "hub", "serve", "--config", str(demo.config(HUB)))  # (3)
        servers.wait({HUB: ports[HUB]})
        for member in demo.members:
            _start(demo, member.id, servers)
        servers.wait(doors)
        _introduce(demo, ports)
        for number, question in enumerate(QUESTIONS, 1):  # (4)
            ask_one(demo, number, question, servers, go_on=before and not once)
        if save is not None:
            _copy_bundles(_answers(demo, 1), save)
        if not once:
            for name in {question.stopped for question in QUESTIONS if question.stopped}:
                _start(demo, name, servers)
            servers.wait(doors)
            _suggest(demo)  # (5)
            _show_pages(demo, ports)
            _stay(servers)
    _LINE.print("Stopped.")


def _import(demo: Demo, servers: Servers) -> None:
    new = [member for member in demo.members if not (demo.folder / member.id / IMPORTED).exists()]
    if not new:
        return
    _LINE.print("First run: each agency imports its own export of about 2,000 invented people.", soft_wrap=False)
    commands = {member.id: ("import", "--config", str(demo.config(member.id))) for member in new}
    for name in run_together(commands, servers, at_once=os.cpu_count() or 1):
        (demo.folder / name / IMPORTED).touch(mode=0o600)
        member = _member(demo, name)
        _LINE.print(f"  {member.name}: {member.source['file']}")


def _start(demo: Demo, member: str, servers: Servers) -> None:
    servers.start(member, "node", "serve", "--config", str(demo.config(member)))


def _introduce(demo: Demo, ports: Mapping[str, int]) -> None:
    _LINE.print(f"\nThe hub listens on 127.0.0.1:{ports[HUB]}; it passes on what it cannot read.", soft_wrap=False)
    for member in demo.members:
        changed = "" if ports[member.id] == member.port else f" ({member.port} is busy)"
        _LINE.print(f"  {ports[member.id]}  {member.name}{changed}")


def ask_one(demo: Demo, number: int, question: Question, servers: Servers, *, go_on: bool) -> None:
    """One question through `patchwork search`; raises ConfigurationError unless it finds what it must.

    With `go_on` it only says so: consents or agreements may have changed since the first run.
    """
    _LINE.print(f"\n[bold]{number}. {question.title}[/bold]")
    if question.stopped:
        servers.stop(question.stopped)
        _LINE.print(f"(the node of {_member(demo, question.stopped).name} is stopped on purpose)")
    asked = _search(demo, ASKER, question)
    _LINE.print(f"$ {_typed(*asked)}", markup=False)
    answers = _answers(demo, number)
    shutil.rmtree(answers, ignore_errors=True)
    sys.stdout.flush()
    try:
        result = subprocess.run(command(*asked, "--save", str(answers)), check=False, timeout=QUESTION_S)
    except subprocess.TimeoutExpired:
        raise ConfigurationError(f"question {number} took longer than {QUESTION_S:.0f} s") from None
    found = {path.stem for path in answers.glob("*.json")}
    if result.returncode == 0 and found == question.found_at:
        _LINE.print(f"\n{question.explanation}", soft_wrap=False)
        return
    expected = ", ".join(sorted(question.found_at))
    missed = f"question {number} was to find {expected}; found: {', '.join(sorted(found)) or 'none'}"
    causes = [cause for member in sorted(question.found_at - found) for cause in _doubts(demo, member)]
    missed = "\n  ".join([missed, *causes])
    if not go_on:
        raise ConfigurationError(missed)
    _LINE.print(f"\nOtherwise than at the first run: {missed}", markup=False, soft_wrap=False)
    if not causes:
        _LINE.print("Consents, objections or cases recorded since then can be why.", soft_wrap=False)


def _doubts(demo: Demo, member: str) -> list[str]:
    """Why a member's node discloses nothing, if its status knows."""
    asked = command("node", "status", "--config", str(demo.config(member)))
    with contextlib.suppress(subprocess.TimeoutExpired):
        told = subprocess.run(asked, check=False, capture_output=True, text=True, timeout=QUESTION_S)
        return [f"{member}: {line.strip()}" for line in told.stdout.splitlines() if "NOTHING IS DISCLOSED" in line]
    return []


def _search(demo: Demo, member: str, question: Question) -> tuple[str, ...]:
    config = os.path.relpath(demo.config(member))
    options = {"--born": question.born, "--postcode": question.postcode}
    reason = {"--purpose": question.purpose, "--basis": question.basis}
    return (
        "search",
        question.name,
        "--config",
        config,
        *(part for pair in (options | reason).items() for part in pair),
    )


def _suggest(demo: Demo) -> None:
    trust, bank, police, housing, council = (
        os.path.relpath(demo.config(each)) for each in ("community-trust", "food-bank", "police", "housing", ASKER)
    )
    name = QUESTIONS[0].name
    person = ("--born", QUESTIONS[0].born, "--postcode", QUESTIONS[0].postcode)
    _LINE.print("\n[bold]Now try, in another terminal:[/bold]")
    for why, arguments in (
        ("the volunteers of the food bank ask, as equals", ("search", name, "--config", bank, "--born",
         QUESTIONS[0].born, "--basis", "legitimate-interests")),
        ("spelt wrongly", ("search", "Kathrine Bramly-Osei", "--config", trust, "--born", QUESTIONS[0].born,
         "--postcode", QUESTIONS[0].postcode)),
        ("a name alone: nothing is shown", ("search", name, "--config", trust)),
        ("the police ask the landlord, who decides first", ("search", name, "--config", police, *person,
         "--purpose", "safeguarding")),
        ("what the landlord's officer then sees; `show` and `decide` go on from here", ("cases", "--config", housing)),
        ("an emergency: a reason in words, and consequences to confirm", ("search", name, "--config", council, *person,
         "--break-glass", "risk-to-life", "--reason", "she said so on the telephone")),
        ("and the case that it opened at an agency that was asked", ("cases", "--config", trust)),
        ("for scripts", (*_search(demo, ASKER, QUESTIONS[0]), "--json")),
    ):  # fmt: skip
        _LINE.print(f"  # {why}\n  {_typed(*arguments)}", markup=False)


def _show_pages(demo: Demo, ports: Mapping[str, int]) -> None:
    _LINE.print("\n[bold]Or open the pages in a browser,[/bold] and sign in as anybody with one click:")
    for member in demo.members:
        _LINE.print(f"  http://127.0.0.1:{ports[pages_of(member.id)]}/demo  {member.name}")
    _LINE.print(f"\nEverything is in {os.path.relpath(demo.folder)}; delete it to begin again.")


def _stay(servers: Servers) -> None:
    try:
        _LINE.print("Ctrl-C stops all.")
        while True:
            time.sleep(1)
            servers.check()
    except KeyboardInterrupt:
        _LINE.print("\nStopping ...")


def _stop_on_sigterm() -> None:
    """SIGTERM ends the program as Ctrl-C does, so that the processes are stopped."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


def _copy_bundles(answers: Path, save: Path) -> None:
    try:
        save.mkdir(mode=0o700, parents=True, exist_ok=True)
        for bundle in answers.glob("*.json"):
            shutil.copyfile(bundle, save / bundle.name)
    except OSError as error:
        raise ConfigurationError(f"{save}: cannot be written: {error.strerror}") from error


def _answers(demo: Demo, number: int) -> Path:
    return demo.folder / "answers" / str(number)


def _member(demo: Demo, member_id: str) -> DemoMember:
    return next(member for member in demo.members if member.id == member_id)


def _typed(*arguments: str) -> str:
    """The command as one types it here: as this program was started, or by its name alone if the shell finds that."""
    program = Path(sys.argv[0])
    name = [os.path.relpath(program)] if program.name == "patchwork" else ["python", "-m", "gateway.cli"]
    return shlex.join([*(["patchwork"] if shutil.which("patchwork") else name), *arguments])
