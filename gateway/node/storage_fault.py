"""What the ledger could not do, as an error of storage that says which file and what is wrong with it."""

from consent_ledger.errors import LedgerError
from gateway.errors import StorageError


def storage_fault(error: LedgerError) -> StorageError:
    """The ledger knows its databases by no name; what it raises carries their own error, if one of them failed.

    What is damaged stays damaged: trying again will not help.
    """
    below = error.__cause__
    if isinstance(below, StorageError):
        return type(below)(f"{error}: {below}", fault=below.fault)
    told = f"ledger: {error}"
    return StorageError(told, fault=told)  # no message of the ledger's names a person
