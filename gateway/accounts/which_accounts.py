"""Which accounts there are: with a role, as a practitioner of the register. Work for a reader that sees node.db too."""

from collections.abc import Collection, Iterable

from gateway.accounts.account import MAX_ACCOUNTS, Account, Role
from gateway.accounts.finding import holds
from gateway.accounts.store import account_by_id, local_user
from gateway.database.contract import Statement, Work
from gateway.node.local import LocalUser
from mappings.vocabulary import AuthMethod


def accounts_with(*roles: Role) -> Work[list[int]]:
    """Rows of the enabled accounts that have any of these roles, in order."""
    found: set[int] = set()
    for role in roles:
        rows = yield Statement(
            "SELECT a.id FROM account_role r JOIN account a ON a.id = r.account_id "
            "WHERE r.role = ? AND a.disabled_at IS NULL ORDER BY a.id LIMIT ?",
            (role.value, MAX_ACCOUNTS),
        )
        found.update(row_id for (row_id,) in rows)
    return sorted(found)


def accounts_linked(workers: Collection[int], services: Collection[int]) -> Work[frozenset[int]]:
    """Rows of the accounts that are any of these practitioners of the register, or work in any of these services."""
    of_workers = yield Statement(
        "SELECT w.account_id, p.id FROM account_worker w JOIN import_source s ON s.name = w.source "
        "JOIN practitioner p ON p.source_id = s.id AND p.key = w.key"
    )
    of_services = yield Statement(
        "SELECT w.account_id, v.id FROM account_service w JOIN import_source s ON s.name = w.source "
        "JOIN service v ON v.source_id = s.id AND v.key = w.key"
    )
    found = {account_id for account_id, row_id in of_workers if row_id in workers}
    return frozenset(found.union(account_id for account_id, row_id in of_services if row_id in services))


def practitioners_named(typed: str, among: Collection[int], *, limit: int) -> Work[list[Account]]:
    """Those of these accounts that practise, and whose name or job role has every word that was typed, by name.

    One more than `limit`, if there are more.
    """
    rows = yield Statement(
        "SELECT a.id, a.name, a.job_role FROM account_role r JOIN account a ON a.id = r.account_id "
        "WHERE r.role = ? AND a.disabled_at IS NULL ORDER BY a.id LIMIT ?",
        (Role.PRACTITIONER.value, MAX_ACCOUNTS),
    )
    fitting = [
        (name.casefold(), row_id)
        for row_id, name, job_role in rows
        if row_id in among and holds(typed, (name, job_role))
    ]
    accounts = []
    for _, row_id in sorted(fitting)[: limit + 1]:
        account = yield from account_by_id(row_id)
        if account is not None:
            accounts.append(account)
    return accounts


def accounts_of(practitioner_ids: Iterable[int]) -> Work[list[Account]]:
    """The practitioners' accounts that are these rows of the register, each once."""
    found: dict[int, Account] = {}
    for practitioner_id in sorted(set(practitioner_ids)):
        rows = yield Statement(
            "SELECT w.account_id FROM practitioner p JOIN import_source s ON s.id = p.source_id "
            "JOIN account_worker w ON w.source = s.name AND w.key = p.key WHERE p.id = ?",
            (practitioner_id,),
        )
        for (account_id,) in rows:
            account = yield from account_by_id(account_id)
            if account is not None and Role.PRACTITIONER in account.roles:
                found[account_id] = account
    return list(found.values())


def as_local_user(account: Account) -> Work[LocalUser]:
    """Somebody who is not asking now, as the register knows them: as well signed in as they are at least each time."""
    method = AuthMethod.PASSWORD if account.totp_secret is None else AuthMethod.MFA
    return (yield from local_user(account.id, method))
