"""A charity's list of invented people, as a spreadsheet, and how a coordinator gets it into the register."""

import asyncio
from collections.abc import Sequence
from datetime import date

from tests.contract.workbook import Cell, xlsx
from tests.federation import TestFederation
from tests.web_user import Shown, WebUser

FOOD_BANK = "food-bank"
PATH = "/manage/uploads"
HEADER = ["First name", "Surname", "D.O.B.", "Postcode", "NHS no.", "Volunteer", "Notes"]
SERVICE = {"name": "Friday club", "code": "other-long-term-support", "phone": "01632 960300", "sensitivity": "N"}
VERA = {"name": "Vera Vale", "role": "Befriender", "mobile": "07700 900301", "pattern": "Fridays"}
NAMES = (
    *("Abigail", "Bertram", "Cerys", "Dominic", "Elowen", "Fergus", "Gwen", "Hamish", "Imogen", "Jago"),
    *("Kerensa", "Lowen", "Merryn", "Nathaniel", "Ottoline", "Perran", "Quill", "Rowena", "Silas", "Tamsin"),
    *("Ursula", "Victor", "Winifred", "Xavier", "Yolanda", "Zachary", "Agnes", "Bryony", "Clement", "Dorcas"),
)
NUMBERS: dict[int, Cell] = {1: "999 000 0018", 2: 9990000026, 3: "9990000034", 4: "9990000042", 6: "999-000-0050"}
WRONG = {5: (2, "31/2/2010"), 11: (4, "9990000019"), 17: (0, "")}  # row of the list: which cell holds what instead


def people(count: int = 30, *, wrong: bool = True) -> list[list[Cell]]:
    """A header and invented people; with `wrong`, three rows cannot be stored."""
    rows: list[list[Cell]] = [[*HEADER]]
    for number in range(count):
        born: Cell = date(2008, 1 + number % 12, 3) if number % 2 else f"{number % 27 + 1}/4/2009"
        name, nhs = NAMES[number % len(NAMES)], NUMBERS.get(number, "")
        rows.append([name, "Tremayne", born, "ZM4 7QT", nhs, "vera  vale", "=HYPERLINK(1)"])
    if wrong:
        for number, (column, cell) in WRONG.items():
            rows[number][column] = cell
            if not cell:
                rows[number][1] = ""
    return rows


async def set_up(coordinator: WebUser) -> None:
    """One service and one volunteer."""
    assert (await coordinator.post("/manage/register/services/add", SERVICE)).path == "/manage/register"
    form = (await coordinator.get("/manage/register/people/add")).text
    service = form.partition(">Friday club<")[0].rpartition('value="')[2].partition('"')[0]
    page = await coordinator.post("/manage/register/people/add", {**VERA, "service": service})
    assert page.path == "/manage/register"


async def upload(coordinator: WebUser, content: bytes, *, name: str = "list.xlsx", listed: str = "Club") -> Shown:
    """Upload a new list."""
    return await coordinator.upload(PATH, "file", (name, content), {"list": "new", "name": listed})


async def store(north: TestFederation, coordinator: WebUser, page: Shown, *, member: str = FOOD_BANK) -> Shown:
    """Take the columns as they are shown, import, and wait for the end."""
    running = await coordinator.post(page.path, {**choices(page), "action": "import"})
    await settled(north, page, member=member)
    return await coordinator.get(running.path)


async def settled(north: TestFederation, page: Shown, *, member: str = FOOD_BANK) -> None:
    """Wait until the import of the file on this page is over, however it ended."""
    uploads = north.pages[member].site.uploads
    async with asyncio.timeout(30):
        while uploads.running(page.path.rpartition("/")[2]) is not None:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.05)


def choices(page: Shown) -> dict[str, str]:
    """What the page's selects say now."""
    chosen: dict[str, str] = {}
    for part in page.text.split("<select")[1:]:
        name = part.partition('name="')[2].partition('"')[0]
        selected = part.partition("</select>")[0].partition(" selected")[0]
        chosen[name] = selected.rpartition('value="')[2].partition('"')[0]
    return chosen


def workbook(rows: Sequence[Sequence[Cell]]) -> bytes:
    """The rows as a file."""
    return xlsx(rows)
