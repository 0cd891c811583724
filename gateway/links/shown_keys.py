"""Which hub stands at which address, by the keys that have signed what is served there (docs/wire.md, "Several hubs").

A freshness statement can be passed on by anybody. So an address that serves one by a key that another address has shown
is not that hub, or is the same hub a second time; neither is of use, and the first may be a theft: who passes a hub's
statement on would have signed for that hub what is handed to itself.
"""

from collections.abc import Mapping


class ShownKeys:
    """For each address the key that it showed last; no key is two addresses'."""

    def __init__(self) -> None:
        self._kids: dict[str, str] = {}

    def key_of(self, address: str) -> str | None:
        """The `kid` that the address has shown as the first one."""
        return self._kids.get(address)

    def holder_of(self, kid: str) -> str | None:
        """The other way round."""
        return next((address for address, each in self._kids.items() if each == kid), None)

    def take(self, shown: Mapping[str, str]) -> dict[str, str]:
        """What addresses show now, verified, in the order of the settings; returns who shows another's key, and whose.

        A key remains with the address that has shown it before, also while that one is silent, until it shows another;
        of a key that is new it is the first address's.
        """
        holders = {kid: address for address, kid in self._kids.items() if shown.get(address, kid) == kid}
        others: dict[str, str] = {}
        for address, kid in shown.items():
            holder = holders.setdefault(kid, address)
            if holder != address:
                others[address] = holder
        self._kids = {address: kid for kid, address in holders.items()}
        return others
