"""A trust about whose clients others have asked, made once, for tests of commands that open its record.

Client p1 (Katherine Bramley) is known to `register` under p1 and under p2, one person by NHS number; both records name
a worker. Others asked about her three times: answered, a safeguarding question, and after an objection. Client q1
(Priya Nandakumar) was asked about once; a question about somebody unknown was asked, too.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from consent_ledger.consent import ConsentEntry, ConsentKind, Provision
from gateway.app.node import open_node
from gateway.clock import SystemClock
from gateway.database.contract import Statement, Work
from gateway.node.people import remove_unyielded
from gateway.settings import load_node
from mappings.vocabulary import Mode, Purpose
from tests.federation import federation, someone

TRUST, ASKER = "community-trust", "childrens-services"
OFFICER = ("--by", "Wendy Smith", "--reason", "confirmed")
PERSONAL = ("Katherine", "Bramley", "Priya", "Nandakumar", "Zebedee", "1991-05-17", "1988-02-03", "9990000018", "ZM4")


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and whether it failed."""

    out: str
    err: str
    failed: bool


Run = Callable[..., Said]


async def make(folder: Path) -> Path:
    """The folder of the trust's node, which has stopped."""
    async with federation(folder, [ASKER, TRUST], now=time.time()) as north:
        await north.add(TRUST, *someone("Katherine", "Bramley", "1991-05-17", nhs="9990000018"))
        await north.add(TRUST, *someone("Kate", "Bramley", "1991-05-17", nhs="9990000018", key="p2"))
        await north.add(TRUST, *someone("Priya", "Nandakumar", "1988-02-03", key="q1"))
        consent = Provision(permit=True, mode=Mode.SCHEDULE, purposes=(Purpose.COORDINATION,))
        said = ConsentEntry(
            kind=ConsentKind.CONSENT, provisions=(consent,), recorded_by="Wendy Smith", method="in person"
        )
        await north.record(TRUST, "p1", said)  # entry 1, after the acceptance of the agreement
        await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")  # 2
        await north.ask(ASKER, "Katherine Bramley", born="1991-05-17", purpose=Purpose.SAFEGUARDING)  # 3
        await north.record(TRUST, "p2", ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="Wendy Smith"))  # 4
        await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")  # 5
        await north.ask(ASKER, "Priya Nandakumar", born="1988-02-03")  # 6
        await north.ask(ASKER, "Zebedee Quillfeather", born="1953-07-29")  # 7
    for member in (TRUST, ASKER):
        with (folder / member / "node.toml").open("a") as config:
            config.write('[[source]]\nname = "register"\nmapping = "demo_housing"\noptions = { path = "none.csv" }\n')
    return folder / TRUST


async def empty(trust: Path, *keys: str) -> None:
    """Remove clients, as an import does whose source has them no more."""

    def remove() -> Work[None]:
        for key in keys:
            rows = yield Statement("SELECT id FROM person WHERE key = ?", (key,))
            yield from remove_unyielded([("person", rows[0][0])])

    opened = await open_node(load_node(trust / "node.toml"), clock=SystemClock())
    try:
        await opened.database.write(remove())
    finally:
        await opened.close()
