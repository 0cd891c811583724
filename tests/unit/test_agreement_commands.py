"""`patchwork agreement lint`, `explain`, `diff`, `export` and `import`, as an officer types them."""

from pathlib import Path

from gateway.policy.toml_text import toml_text
from tests.agreement_texts import document, rule
from tests.flow.commands import Ran, in_process
from tests.policy_cases import AGREEMENTS

EXAMPLE = str(AGREEMENTS["children-and-families"])


def agreement_command(*arguments: object) -> Ran:
    return in_process("agreement", *map(str, arguments))


def done(*arguments: object) -> str:
    ran = agreement_command(*arguments)
    assert ran.code == 0, ran.said
    return ran.out


def test_lint_ends_with_exit_code_1_only_where_there_is_an_error(tmp_path: Path) -> None:
    assert "0 errors, 1 warning, 2 notes." in done("lint", EXAMPLE)
    (tmp_path / "bad.toml").write_text(toml_text(document(rule("coordination"), rule("no", effect="deny"))))
    ran = agreement_command("lint", tmp_path / "bad.toml")
    assert ran.code == 1
    assert "error" in ran.out
    assert "It never acts: wherever it applies, no denies it." in ran.out


def test_an_agreement_with_terminal_commands_in_it_is_shown_as_text(tmp_path: Path) -> None:
    hostile = document(rule("coordination"), name="\x1b[2J| <b>`Bold`</b> [red]", contact="\x1b]0;owned\x07x")
    (tmp_path / "hostile.toml").write_text(toml_text(hostile))
    for options in ((), ("--markdown",)):
        said = done("explain", tmp_path / "hostile.toml", *options)
        assert "\x1b" not in said
        assert "\x07" not in said
    assert "# \\| \\<b\\>\\`Bold\\`\\</b\\> \\[red\\]" in said
    assert "\x1b" not in done("lint", tmp_path / "hostile.toml")


def test_explain_tells_the_same_as_text_and_as_a_document(tmp_path: Path) -> None:
    wide = done("explain", EXAMPLE)
    markdown = done("explain", EXAMPLE, "--markdown")
    for said in ("no-camhs-to-housing", "In force", "If the person objects", "Not allowed", "passing it on to others"):
        assert said in wide
        assert said in markdown
    assert "odrl:" not in wide + markdown
    row = next(line for line in markdown.splitlines() if line.startswith("| safeguarding-housing-reviewed |"))
    assert row == (
        "| safeguarding-housing-reviewed | police force | safeguarding: legal obligation or public task"
        " | housing provider | any service: ordinary | agency and duty contact"
        " | somebody at the agency asked decides |  |"
    )
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert {line.count(" |") for line in rows} == {8}


def test_diff_says_who_learns_more(tmp_path: Path) -> None:
    text = Path(EXAMPLE).read_text("utf-8")
    (tmp_path / "new.toml").write_text(text.replace('recipients = ["police-force"]', 'recipients = ["*"]', 1))
    said = done("diff", EXAMPLE, tmp_path / "new.toml")
    assert "Rule safeguarding-housing-reviewed: recipients changes from police-force to *." in said
    assert "after a review: agency and duty contact" in said
    assert "0 narrower." in said
    (tmp_path / "same.toml").write_text(text + "\n")
    assert "Nothing but its bytes" in done("diff", EXAMPLE, tmp_path / "same.toml")


def test_export_and_import_never_write_over_a_file(tmp_path: Path) -> None:
    signed = tmp_path / "agreed.toml"
    signed.write_bytes(Path(EXAMPLE).read_bytes())
    done("export", tmp_path / "agreed.toml")
    assert "may be what somebody sent" in agreement_command("export", signed).err
    assert "may be what members have signed" in agreement_command("import", tmp_path / "agreed.json").err
    assert signed.read_bytes() == Path(EXAMPLE).read_bytes()
    assert "It is a new text" in done("import", tmp_path / "agreed.json", "--output", tmp_path / "again.toml")
    assert "0 wider, 0 narrower." in done("diff", tmp_path / "agreed.toml", tmp_path / "again.toml")


def test_an_import_without_rules_says_that_nothing_is_disclosed(tmp_path: Path) -> None:
    done("export", EXAMPLE, "--output", tmp_path / "policy.json")
    text = (tmp_path / "policy.json").read_text("utf-8")
    head, _, _ = text.partition(',\n  "PatchworkExtension"')
    (tmp_path / "policy.json").write_text(head + "\n}\n")
    said = done("import", tmp_path / "policy.json", "--version", "draft-1")
    assert "NOTHING is disclosed" in said
    assert "version draft-1" in said
    assert "nothing is ever disclosed" in done("lint", tmp_path / "policy.toml")
