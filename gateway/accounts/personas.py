"""The accounts of a demonstration, one for each role and a colleague: made by the node itself, without a password.

Nobody can sign in with them but through web/demo.py, which exists in a demonstration alone. The practitioners are
rows of the register, invented like all of it, so that their pages have clients; who else works here has a name that
says what they are for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.accounts.account import Account, Role
from gateway.accounts.administer import create, enable, shut_out
from gateway.accounts.changes import What
from gateway.accounts.register_rows import Kind, RegisterRow, count_linked, find, link
from gateway.accounts.store import NewAccount, account_by_login
from gateway.database.contract import Statement, Work

BY: Final = "demonstration"

_FEWEST: Final = 3  # clients of a practitioner


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """Somebody whom visitors may be; practitioners have name and job role from the register, if it has them."""

    login: str
    name: str
    job_role: str
    role: Role


PERSONAS: Final = (
    Persona(login="demo-practitioner", name="Petra Practitioner", job_role="Practitioner", role=Role.PRACTITIONER),
    Persona(login="demo-colleague", name="Cole Colleague", job_role="Practitioner", role=Role.PRACTITIONER),
    Persona(login="demo-manager", name="Mabel Manager", job_role="Team manager", role=Role.MANAGER),
    Persona(login="demo-governance", name="Gil Governance", job_role="Governance officer", role=Role.GOVERNANCE),
    Persona(login="demo-administrator", name="Ada Admin", job_role="Administrator", role=Role.ADMINISTRATOR),
    Persona(login="demo-auditor", name="Otto Auditor", job_role="Auditor", role=Role.AUDITOR),
)


_BUSIEST: Final = """
    SELECT i.practitioner_id, count(DISTINCT i.person_id) AS clients FROM involvement i
    JOIN practitioner p ON p.id = i.practitioner_id
    WHERE i.end_date IS NULL AND i.person_id IS NOT NULL AND p.away_until IS NULL
    GROUP BY i.practitioner_id HAVING clients >= ? ORDER BY clients DESC, i.practitioner_id LIMIT 1
"""
_SHARES_MOST: Final = """
    SELECT i.practitioner_id, count(DISTINCT i.person_id) AS clients, count(DISTINCT mine.person_id) AS shared
    FROM involvement i LEFT JOIN involvement mine
        ON mine.person_id = i.person_id AND mine.practitioner_id = ? AND mine.end_date IS NULL
    WHERE i.end_date IS NULL AND i.person_id IS NOT NULL AND i.practitioner_id <> ?
    GROUP BY i.practitioner_id HAVING clients >= ? ORDER BY shared DESC, clients DESC, i.practitioner_id LIMIT 1
"""


def cast() -> Work[Sequence[RegisterRow]]:
    """Who the practitioners are: somebody with several clients, and who shares most of these. A read."""
    first = yield Statement(_BUSIEST, (_FEWEST,))
    if not first:
        return ()
    second = yield Statement(_SHARES_MOST, (first[0][0], first[0][0], _FEWEST))
    found = []
    for row_id, *_counts in (*first, *second):
        ((source, key),) = yield Statement(
            "SELECT s.name, p.key FROM practitioner p JOIN import_source s ON s.id = p.source_id WHERE p.id = ?",
            (row_id,),
        )
        row = yield from find(Kind.WORKER, source, key)
        found += [row] if row is not None else []
    return found


def personas() -> Work[Sequence[Account]]:
    """Their accounts, without those that were disabled."""
    found = []
    for persona in PERSONAS:
        account = yield from account_by_login(persona.login)
        found += [account] if account is not None else []
    return found


def retire_personas(now: float) -> Work[None]:
    """Where there is no demonstration any more: nobody goes on as one of them."""
    rows = yield Statement(
        "SELECT id FROM account a WHERE disabled_at IS NULL "
        "AND EXISTS (SELECT 1 FROM account_change WHERE account_id = a.id AND what = ? AND by = ?)",
        (What.CREATED.value, BY),
    )
    for (account_id,) in rows:
        yield from shut_out(account_id, by=BY, now=now)


def make_personas(found: Sequence[RegisterRow], *, federation: str, now: float) -> Work[None]:
    """Make those accounts that are not there yet, and link practitioners who are linked to nobody."""
    rows = iter(found)
    for persona in PERSONAS:
        row = next(rows, None) if persona.role is Role.PRACTITIONER else None
        there = yield Statement("SELECT id, public_id FROM account WHERE login = ?", (persona.login,))
        if there:
            ((account_id, public_id),) = there
        else:
            new = NewAccount(
                federation=federation,
                login=persona.login,
                name=(row.name if row else "") or persona.name,
                job_role=(row.about if row else "") or persona.job_role,
                roles=frozenset({persona.role}),
                granted_by=BY,
            )
            account = yield from create(new, email="", phone="", now=now)
            account_id, public_id = account.id, account.public_id
        if (yield from _retired(account_id)):
            yield from enable(account_id, by=BY, now=now)
        if row is not None and not (yield from count_linked(account_id)):
            yield from link(account_id, public_id, row, by=BY, confirmed=True, now=now)


def _retired(account_id: int) -> Work[bool]:
    """Whether it was retire_personas, and no administrator, that disabled it last."""
    rows = yield Statement(
        "SELECT by FROM account_change WHERE account_id = ? AND what = ? ORDER BY id DESC LIMIT 1",
        (account_id, What.DISABLED.value),
    )
    return bool(rows) and rows[0][0] == BY
