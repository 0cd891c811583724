"""Whether this node may answer, as far as its own record goes: one flag that every answer looks at, and no more."""

from gateway.errors import LedgerDoubtful


class Standing:
    """Open at first; `patchwork node serve` closes it until the ledger has been compared with its witnesses."""

    def __init__(self) -> None:
        self._doubt = ""

    def check(self) -> None:
        """Raises LedgerDoubtful while the ledger is behind, inconsistent, damaged, or not yet compared."""
        if self._doubt:
            raise LedgerDoubtful(self._doubt)

    @property
    def doubt(self) -> str:
        """Why nothing is disclosed; empty if nothing is wrong."""
        return self._doubt

    def close(self, reason: str) -> None:
        """Disclose nothing, for this reason."""
        self._doubt = reason

    def open(self) -> None:
        """Answer again."""
        self._doubt = ""
