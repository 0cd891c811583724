"""What another agency gives as a number or an address becomes a link only if it can do nothing but call or write."""

import pytest

from gateway.web.contact_links import way


@pytest.mark.parametrize(
    ("system", "value", "href"),
    [
        ("phone", "01632 960123", "tel:01632960123"),
        ("phone", "+44 1632 960123", "tel:+441632960123"),
        ("phone", "+44 (0)1632 960123", "tel:+441632960123"),
        ("phone", "(01632) 960-123", "tel:01632960123"),
        ("phone", "01632 960123 ext. 4 (duty desk)", "tel:01632960123;ext=4"),
        ("phone", "01632 960123, x42", "tel:01632960123;ext=42"),
        ("phone", "101", "tel:101"),
        ("sms", "07700 900123", "sms:07700900123"),
        ("email", "robin.worker@example.org", "mailto:robin.worker@example.org"),
        ("email", "o'neill+duty@team.example.org", "mailto:o'neill+duty@team.example.org"),
    ],
)
def test_a_plain_number_or_address_is_a_link(system: str, value: str, href: str) -> None:
    assert way(system, value).href == href


@pytest.mark.parametrize(
    ("system", "value"),
    [
        ("phone", "**21*01632960199#"),  # call forwarding
        ("phone", "*#06#"),
        ("phone", "01632 960123 #31#"),
        ("phone", "javascript:alert(960123)"),
        ("phone", "01632 960123;phone-context=evil.example.org"),
        ("phone", "01632 960123,,,9"),  # presses keys after the call is taken
        ("phone", "01632 960123 / 960124"),
        ("phone", "12"),
        ("phone", "1" * 16),
        ("phone", "٠١٦٣٢ ٩٦٠١٢٣"),
        ("phone", "01632 960123\n"),
        ("sms", "07700 900123?body=yes"),
        ("email", "robin@example.org?bcc=other@example.org"),
        ("email", "robin%0Abcc:other@example.org"),
        ("email", "robin@example.org,other@example.org"),
        ("email", "robin@localhost"),
        ("email", '"robin worker"@example.org'),
        ("email", "javascript:alert(1)@example.org"),
        ("email", "róbin@example.org"),
        ("url", "https://example.org"),
        ("", ""),
    ],
)
def test_anything_else_stays_text(system: str, value: str) -> None:
    assert way(system, value).href == ""
    assert way(system, value).text == value
