"""Single texts: names, dates, numbers, addresses as case systems write them."""

import re
import time
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import convert
from mappings.convert import Unusable


@pytest.mark.parametrize(
    ("text", "order", "family", "given_names", "nickname"),
    [
        ("SMITH, John", "family-comma-given", "SMITH", ("John",), ""),
        ("Smith , Mr. John Paul (Jack)", "family-comma-given", "Smith", ("John", "Paul"), "Jack"),
        ("O'DONNELL-SMYTH, Siân “Shan”", "family-comma-given", "O'DONNELL-SMYTH", ("Siân",), "Shan"),
        ("de la Cruz, María", "family-comma-given", "de la Cruz", ("María",), ""),
        ("John Smith", "family-comma-given", "Smith", ("John",), ""),
        ("Smith", "family-comma-given", "Smith", (), ""),
        ("Smith,", "family-comma-given", "Smith", (), ""),
        ("Dr Elke van der Berg", "given-family", "van der Berg", ("Elke",), ""),
        ("Van Morrison", "given-family", "Morrison", ("Van",), ""),
        ("Jean", "given-family", "", ("Jean",), ""),
        ("Miss", "given-family", "", ("Miss",), ""),
        ("", "given-family", "", (), ""),
    ],
)
def test_name_is_split(text: str, order: str, family: str, given_names: tuple[str, ...], nickname: str) -> None:
    assert convert.split_name(text, order) == (family, given_names, nickname)


@pytest.mark.parametrize(
    ("text", "patterns", "expected"),
    [
        ("09/03/2014", ("%d/%m/%Y",), "2014-03-09"),
        ("9/3/2014", ("%d/%m/%Y",), "2014-03-09"),
        ("14-MAR-2011", ("%d-%b-%Y",), "2011-03-14"),
        ("March 2025", ("%d/%m/%Y", "%B %Y"), "2025-03"),
        ("1986", ("%d/%m/%Y", "%Y"), "1986"),
        ("2026-02-10 14:30:00", ("%Y-%m-%d %H:%M:%S",), "2026-02-10"),
        ("29/02/2024", ("%d/%m/%Y",), "2024-02-29"),
    ],
)
def test_date_is_as_precise_as_its_pattern(text: str, patterns: tuple[str, ...], expected: str) -> None:
    assert convert.iso_date(text, patterns) == expected


@pytest.mark.parametrize(
    "text", ["29/02/2023", "31/04/2020", "2014-03-09", "00/01/2000", "01/01/0001", "01/01/2999", "x"]
)
def test_impossible_date_is_unusable(text: str) -> None:
    with pytest.raises(Unusable):
        convert.iso_date(text, ("%d/%m/%Y",))


PROGRAM = Path(convert.__file__).read_text(encoding="utf-8")
DATE_PATTERNS = ("%d/%m/%Y", "%Y", "%Y-%m-%d", "%d %b %Y", "%d-%B-%Y", "%Y%m%d", "%m/%Y", "%d.%m.%Y %H:%M:%S", "%Y%%")


@given(
    pattern=st.sampled_from(DATE_PATTERNS),
    moment=st.datetimes(datetime(1700, 1, 1), datetime(2300, 1, 1)),  # noqa: DTZ001 - no zone in a birth date
    at=st.integers(0, 20),
    typed=st.sampled_from(("", "0", "3", "9", " ", "/", "-", "x", "\t")),
    dropped=st.integers(0, 2),
    padded=st.booleans(),
)
def test_date_is_read_as_strptime_reads_it(
    pattern: str, moment: datetime, at: int, typed: str, dropped: int, padded: bool
) -> None:
    written = moment.strftime(pattern)
    if not padded:
        written = re.sub(r"\b0", "", written)
    text = written[:at] + typed + written[at + dropped :] if padded else written
    try:
        year: int | None = time.strptime(text, pattern).tm_year
    except ValueError:
        year = None
    if year is None or not 1850 <= year <= 2150:
        with pytest.raises(Unusable):
            convert.iso_date(text, (pattern,))
    else:
        read = time.strptime(text, pattern)
        whole = f"{read.tm_year:04}-{read.tm_mon:02}-{read.tm_mday:02}"
        assert whole.startswith(convert.iso_date(text, (pattern,)))


@pytest.mark.parametrize("pattern", ["%d/%m/%y", "%d/%m", "%d %Y", "%x", "%s", "%Z %Y"])
def test_date_pattern_that_would_guess_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"%|month|supported"):
        convert.check_date_format(pattern)


@pytest.mark.parametrize("text", ["9992914173", "999 291 4173", "999-291-4173"])
def test_nhs_number_with_right_check_digit_is_taken(text: str) -> None:
    assert convert.nhs_number(text) == "9992914173"


@pytest.mark.parametrize("text", ["9992914174", "999291417", "99929141733", "999291417X", "٩٩٩٢٩١٤١٧٣"])
def test_nhs_number_with_wrong_form_or_check_digit_is_unusable(text: str) -> None:
    with pytest.raises(Unusable):
        convert.nhs_number(text)


@given(st.integers(min_value=999_000_000, max_value=999_999_999))
def test_at_most_one_check_digit_fits_an_nhs_number(first_nine: int) -> None:
    fitting = 0
    for digit in range(10):
        try:
            convert.nhs_number(f"{first_nine}{digit}")
        except Unusable:
            continue
        fitting += 1
    assert fitting <= 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("01632960123", "01632 960123"),
        ("(01632) 960-123", "01632 960123"),
        ("+44 (0)1632 960123", "01632 960123"),
        ("0044 7700 900123", "07700 900123"),
        ("020 7946 0123", "020 7946 0123"),
        ("0121 496 0123", "0121 496 0123"),
        ("0113 496 0123", "0113 496 0123"),
        ("08081570123", "0808 157 0123"),
        ("01632 960401 ext. 12", "01632 960401 ext 12"),
        ("01632 960401x12", "01632 960401 ext 12"),
        ("+353 1 234 5678", "+35312345678"),
        ("101", "101"),
    ],
)
def test_phone_number_is_written_for_reading(text: str, expected: str) -> None:
    assert convert.phone(text) == expected
    assert convert.phone(expected) == expected


@pytest.mark.parametrize("text", ["960123", "ask reception", "01632 960123 / 960124", "0000000000", "+44", "+", "1"])
def test_text_that_cannot_be_dialled_is_unusable(text: str) -> None:
    with pytest.raises(Unusable):
        convert.phone(text)


def test_email_domain_is_lower_case() -> None:
    assert convert.email("Jo.Bloggs@EXAMPLE.org") == "Jo.Bloggs@example.org"


@pytest.mark.parametrize(
    "text", ["jo at example.org", "jo@example", "jo@@example.org", "a b@example.org", "x" * 250 + "@a.org"]
)
def test_text_that_is_no_email_address_is_unusable(text: str) -> None:
    with pytest.raises(Unusable):
        convert.email(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 Orchard Row, Anytown, zz99 3az", (("12 Orchard Row",), "Anytown", "ZZ99 3AZ")),
        ("Flat 2\r\nMill House, Mill Lane,Anytown", (("Flat 2", "Mill House", "Mill Lane"), "Anytown", "")),
        ("12 Orchard Row ZZ993AZ", (("12 Orchard Row",), "", "ZZ99 3AZ")),
        ("ZZ99 3AZ", ((), "", "ZZ99 3AZ")),
        ("", ((), "", "")),
    ],
)
def test_address_in_one_piece_is_split(text: str, expected: tuple[tuple[str, ...], str, str]) -> None:
    assert convert.split_address(text) == expected


@given(st.text(max_size=300))
def test_no_text_brings_a_conversion_down(text: str) -> None:
    for function in (convert.phone, convert.email, convert.postcode, convert.nhs_number, convert.ods_code):
        try:
            function(text)
        except Unusable as problem:
            own_words = text in PROGRAM  # a reason may hold those, whoever else wrote them too
            assert own_words or text not in str(problem)  # noqa: PT017 - either outcome is right
    convert.split_name(text, "family-comma-given")
    convert.split_address(text)
    assert convert.clean(convert.clean(text)) == convert.clean(text)
