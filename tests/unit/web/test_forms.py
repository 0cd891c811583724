"""Form fields: what was typed becomes a bounded value, or a message that says what to do."""

from datetime import date

import pytest

from gateway.web.forms import MAX_TEXT, Form


def form(**fields: str | list[str]) -> Form:
    return Form(
        fields={name.replace("_", "-"): [value] if isinstance(value, str) else value for name, value in fields.items()}
    )


def test_text_is_trimmed_and_loses_what_nobody_types_on_purpose() -> None:
    typed = form(name="  Zo\u00eb\u0000 \u202eO'Neill\r\n")
    assert typed.text("name") == "Zo\u00eb O'Neill"
    assert not typed.errors


def test_a_line_is_one_line() -> None:
    assert form(name=" Zo\u00eb\r\n\tO'Neill ").line("name") == "Zo\u00eb O'Neill"


def test_what_is_too_long_is_refused_and_not_cut() -> None:
    typed = form(name="x" * 201)
    assert typed.line("name") == ""
    assert typed.errors == {"name": "This must be 200 characters or fewer"}
    assert len(form(name="x" * 10_000).value("name")) == MAX_TEXT


def test_what_is_missing_is_asked_for_in_the_order_of_the_page() -> None:
    typed = form()
    typed.text("name", missing="Enter their name")
    typed.choice("why", ["a"], missing="Choose why")
    typed.date("born", missing="Enter their date of birth")
    typed.wrong("name", "a second message of the same field")
    assert typed.summary == [
        {"text": "Enter their name", "href": "#name"},
        {"text": "Choose why", "href": "#why"},
        {"text": "Enter their date of birth", "href": "#born"},
    ]
    assert typed.error("why") == {"text": "Choose why"}
    assert typed.error("else") is None


def test_only_what_the_page_offers_is_chosen() -> None:
    typed = form(why="DROP", which=["b", "x", "b", "a"])
    assert typed.choice("why", ["a", "b"]) == ""
    assert typed.choices("which", ["a", "b", "c"]) == ["a", "b"]
    assert [typed.ticked("which"), typed.ticked("not")] == [True, False]


@pytest.mark.parametrize("typed", ["-1", "1.5", "101", "1e2", "\u0661", "9" * 5000, "0x1"])
def test_a_number_is_whole_and_within_its_bounds(typed: str) -> None:
    entered = form(number=typed)
    assert entered.whole("number", least=0, most=100) is None
    assert entered.errors == {"number": "Enter a whole number from 0 to 100"}
    assert form(number=" 42 ").whole("number", least=0, most=100) == 42


@pytest.mark.parametrize(
    ("day", "month", "year", "expected"),
    [
        ("4", "3", "2010", date(2010, 3, 4)),
        ("29", "2", "2012", date(2012, 2, 29)),
        ("29", "2", "2011", None),
        ("4", "", "2010", None),
        ("4", "3", "0", None),
        ("4", "3", "99999", None),
        ("4", "March", "2010", None),
        ("\u0664", "3", "2010", None),
    ],
)
def test_a_date_comes_from_three_boxes_and_is_a_real_one(
    day: str, month: str, year: str, expected: date | None
) -> None:
    typed = form(born_day=day, born_month=month, born_year=year)
    assert typed.date("born") == expected
    assert bool(typed.errors) == (expected is None)
