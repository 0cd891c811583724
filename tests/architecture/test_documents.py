"""What the documents tell people to type exists, and so does every section of a document that the code refers to."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from gateway.cli import application

ROOT = Path(__file__).parents[2]
SOURCES = ("gateway", "connectors", "mappings", "consent_ledger", "config", "tests")
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def commands(path: Path) -> Iterator[str]:
    """Lines of code blocks and pieces of inline code that begin with `patchwork` or `make`."""
    text = path.read_text("utf-8")
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    for line in (*lines, *inline):
        typed = line.strip().removeprefix("$ ")
        if typed.startswith(("patchwork ", "make ")):
            yield typed


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_tells_to_type_exists(path: Path) -> None:
    for typed in commands(path):
        words = shlex.split(typed, comments=True)
        fault = make_fault(words) if words[0] == "make" else patchwork_fault(words)
        assert fault is None, f"{typed}: {fault}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_example_for_the_shell_has_all_that_its_command_wants(path: Path) -> None:
    examples = re.findall(r"^```sh\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = "\n".join(examples).replace("\\\n", " ").splitlines()
    typed = [re.split(" >+ ", line)[0] for line in lines if re.match("patchwork [a-z]", line)]
    for words in (shlex.split(line, comments=True) for line in typed):
        command: Any = typer.main.get_command(application())
        rest = words[1:]
        while hasattr(command, "commands") and not rest[0].startswith("-"):  # `cases` alone does something too
            command = command.commands[rest.pop(0)]
        assert not command.make_context("patchwork", rest, resilient_parsing=False).args


def make_fault(words: list[str]) -> str | None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    unknown = [word for word in words[1:] if "=" not in word and word not in targets]
    return f"no such target: {', '.join(unknown)}" if unknown else None


def patchwork_fault(words: list[str]) -> str | None:
    command: Any = typer.main.get_command(application())
    rest = words[1:]
    while rest and hasattr(command, "commands") and re.fullmatch(r"[a-z][a-z-]*", rest[0]):
        if rest[0] not in command.commands:
            return f"no such command: {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    unknown = {word for word in rest if word.startswith("--")} - options - {"--help"}
    return f"no such option: {', '.join(sorted(unknown))}" if unknown else None


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert patchwork_fault(["patchwork", "nonsense"]) == "no such command: nonsense"
    assert patchwork_fault(["patchwork", "search", "--nonsense"]) == "no such option: --nonsense"
    assert make_fault(["make", "nonsense"]) == "no such target: nonsense"


REFERENCE = re.compile(r"(docs/[a-z/-]+\.md)(?:,[\s#]+((?:\"[^\"]+\"(?:(?:,| and)[\s#]+)?)+))?")


def references(text: str) -> Iterator[tuple[str, str | None]]:
    """Each document named, and each of its sections that is named with it, also over the end of a line."""
    for document, titles in REFERENCE.findall(text):
        yield document, None
        for title in re.findall(r'"([^"]+)"', titles):
            yield document, " ".join(title.replace("#", " ").split())


def sections(document: str) -> set[str]:
    """Headings of a document."""
    return {title.strip() for title in re.findall(r"^#+ (.*)$", (ROOT / document).read_text("utf-8"), re.MULTILINE)}


def test_every_section_that_is_referred_to_exists() -> None:
    sources = [
        path for folder in SOURCES for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".sql", ".toml"}
    ]
    wrong = [
        f"{path.relative_to(ROOT)}: {document}, {title}"
        for path in [*sources, *DOCUMENTS, ROOT / "pyproject.toml", ROOT / ".importlinter"]
        for document, title in references(path.read_text("utf-8"))
        if path != Path(__file__)
        and (not (ROOT / document).is_file() or (title is not None and title not in sections(document)))
    ]
    assert wrong == []


def test_a_section_that_does_not_exist_is_noticed() -> None:
    text = 'as in (docs/wire.md, "Question" and\n# "No such section"), docs/none.md'
    assert list(references(text)) == [
        ("docs/wire.md", None),
        ("docs/wire.md", "Question"),
        ("docs/wire.md", "No such section"),
        ("docs/none.md", None),
    ]
    assert "No such section" not in sections("docs/wire.md")


FILE = re.compile(r"(?<![\w{}/.*-])([a-z_][\w/]*\.py|[a-z_]\w*/[\w/]*\.sql)\b")


def named_files(text: str) -> set[str]:
    """Names of source files in a text, each with as much of its path as is told."""
    return set(FILE.findall(text))


def test_every_file_that_code_or_documents_name_exists() -> None:
    there = {f"/{path.relative_to(ROOT)}" for folder in (*SOURCES, ".ci") for path in (ROOT / folder).rglob("*.[ps]*")}
    documents = [path for path in DOCUMENTS if path.parent.name != "decisions"]  # they tell of what has been, too
    sources = [path for folder in SOURCES[:4] for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".sql"}]
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in [*sources, *documents]
        for name in named_files(path.read_text("utf-8"))
        if not any(each.endswith(f"/{name}") for each in there)
    ]
    assert wrong == []


def test_a_file_that_does_not_exist_is_noticed() -> None:
    text = "see web/nowhere.py (nowhere_else.py), web/0004_none.sql, migration.sql, {name}.py and `tests/conftest.py`"
    assert named_files(text) == {"web/nowhere.py", "nowhere_else.py", "web/0004_none.sql", "tests/conftest.py"}


def test_the_messages_that_the_guides_explain_are_those_of_the_program() -> None:
    files = [path for folder in ("gateway", "consent_ledger") for path in (ROOT / folder).rglob("*.py")]
    program = "\n".join(path.read_text("utf-8") for path in files)
    explained = []
    for guide in ("running-a-hub.md", "running-a-node.md"):
        _, found, table = (ROOT / "docs" / guide).read_text("utf-8").partition("| it says | do |")
        explained += re.findall(r"^\| `([^`]+)` \|", table.partition("\n\n")[0], re.MULTILINE) if found else []
    assert len(explained) > 5
    parts = [part.strip() for message in explained for part in message.split("...") if part.strip(" ,.")]
    assert [part for part in parts if part not in program] == []
