"""What another agency, or whoever types, can put on the search pages: text and numbers, never markup or other links."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from gateway.accounts.account import Role
from mappings.model import ContactPoint, HumanName, Organisation, Practitioner, Service
from tests.federation import federation, someone

ASKER, AGENCY = "childrens-services", "housing"
ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "{{ 7*7 }}${7*7}",
    "</title><svg onload=alert(1)>",
    "javascript:alert(1)",
)
NUMBERS = ("**21*01632960199#", "*#06#", "01632 960123,,,9", "javascript:alert(960123)", "data:text/html,960123")
ADDRESSES = ("robin@example.org?bcc=evil@example.org", "robin%0Abcc:x@example.org", "a'onclick=alert(1)@example.org")
LINKS = ("href", "src", "action", "hx-get", "hx-post", "data-reach")
OWN = re.compile(r"(/[\w./?=-]*|#[\w-]+|mailto:robin@example\.org|)")


class Markup(HTMLParser):
    """What a browser takes for elements and attributes, and not for text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def hostile() -> list[object]:
    attack = " ".join(ATTACKS)[:190]
    objects: list[object] = []
    for item in someone("Katherine", "Bramley", "1991-05-17", role=attack):
        match item:
            case Practitioner():
                numbers = [ContactPoint(system="phone", value=each, rank=n) for n, each in enumerate(NUMBERS, 1)]
                mails = [ContactPoint(system="email", value=each, rank=9) for each in ADDRESSES]
                name = HumanName(given=(ATTACKS[0],), family=ATTACKS[1])
                objects.append(replace(item, name=name, contact_points=(*numbers, *mails), working_pattern=ATTACKS[4]))
            case Service():
                objects.append(replace(item, name=ATTACKS[2] + ATTACKS[3]))
            case Organisation():
                objects.append(replace(item, name=ATTACKS[4]))
            case _:
                objects.append(item)
    return objects


async def test_another_agencys_words_stay_words_and_its_numbers_only_dial(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY], web=True) as north:
        await north.add(AGENCY, *hostile())  # type: ignore[arg-type]  # all of them are mapped objects
        user = await north.sign_in(ASKER, Role.PRACTITIONER, name=ATTACKS[1], job_role=ATTACKS[0])
        typed = {"name": "Kate Bramley", "born-day": "17", "born-month": "5", "born-year": "1991"}
        page = await user.post("/search", typed | {"reason": "COC:public-task"})
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text  # its answer is on the page
        reach = re.search(r'href="(/searches/[\w-]+/reach/[\d-]+)"', page.text)
        assert reach is not None
        asked = await user.post(reach[1], {"kind": "phone"}, headers={"HX-Request": "true"})
        wrong = await user.post("/search", dict.fromkeys((*typed, "postcode", "nhs", "age"), ATTACKS[1]))
        for shown in (page, asked, await user.get(reach[1]), wrong):
            read = Markup()
            read.feed(shown.text)
            assert not read.tags & {"img", "svg", "iframe", "object"}
            assert not [name for name, _ in read.attributes if name.startswith("on") or name == "style"]
            assert [value for name, value in read.attributes if name in LINKS and not OWN.fullmatch(value)] == []
            assert shown.text.count("<script") == shown.text.count("<script nonce=")
            assert "49" not in shown.words
            assert "unsafe" not in shown.headers["Content-Security-Policy"]
