"""Names, words and files that people supplied, on every page that can be reached from them: shown as text alone."""

import re
from html import unescape
from pathlib import Path

from gateway.accounts.account import Role
from tests.federation import federation, someone
from tests.web.lists import SERVICE, VERA
from tests.web_user import WebUser

HOUSING, POLICE = "housing", "police"
HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}"
SHOWN_AS = "&lt;script&gt;alert(1)&lt;/script&gt;"
# What would be markup, or run, if any of it got out of a text; our own pages have nothing of the kind.
LOOSE = re.compile(r"""<script>alert|<img src=x|\son\w+=["']|\sstyle=["']|javascript:""")
LINK = re.compile(r'href="(/[^"#]*)"')
NO_PAGES = ("/static", "/sign", "/language")
MOST_PAGES = 150  # there are some 80


async def test_what_people_call_themselves_and_others_is_text_on_every_page(tmp_path: Path) -> None:
    async with federation(tmp_path, [HOUSING, POLICE], web=True) as north:
        records = someone(HOSTILE, f"Bramley{HOSTILE}", "1991-05-17", worker=f"Rosa {HOSTILE}", role=HOSTILE)
        await north.add(HOUSING, *records)
        user = await north.sign_in(HOUSING, *Role, name=HOSTILE, job_role=HOSTILE, workers=["w-p1"])
        await north.sign_in(HOUSING, Role.PRACTITIONER, name=f"Other {HOSTILE}", job_role=HOSTILE)
        await _supply(user)
        await north.ask(POLICE, "Katherine Bramley", born="1991-05-17")
        shown, seen = 0, {"/"}
        waiting = ["/", "/clients/1", "/clients/1/picture", "/manage/audit"]
        while waiting and len(seen) < MOST_PAGES:
            path = waiting.pop()
            page = await user.get(path)
            assert page.status < 500, path
            if not page.headers.get("Content-Type", "").startswith("text/html"):
                continue
            assert not (loose := LOOSE.search(page.text)), f"{path}: {loose}"
            assert "{{7*7}}" in page.text or SHOWN_AS not in page.text, f"{path}: a template ran"
            assert "default-src 'none'" in page.headers["Content-Security-Policy"], path
            shown += SHOWN_AS in page.text
            new = {unescape(each) for each in LINK.findall(page.text) if not each.startswith(NO_PAGES)} - seen
            seen |= new
            waiting.extend(sorted(new))
        assert shown > 50  # or the walk went past what was supplied


async def _supply(user: WebUser) -> None:
    """All that can be typed or sent with few words."""
    for path, fields in (
        ("/feedback", {"text": HOSTILE, "page": HOSTILE}),
        ("/clients/1/wrong", {"what": "not-my-client"}),
        ("/manage/register/services/add", {**SERVICE, "name": HOSTILE}),
        ("/manage/register/people/add", {**VERA, "name": HOSTILE, "role": HOSTILE, "pattern": HOSTILE}),
    ):
        assert (await user.post(path, fields)).status == 200, path
    cell = HOSTILE.replace('"', "'")
    content = f"Name,Date of birth,{cell}\n=cmd|x {cell},1990-01-01,{cell}\n".encode()
    page = await user.upload("/manage/uploads", "file", (f"{HOSTILE}.csv", content), {"list": "new", "name": HOSTILE})
    assert page.status == 200
