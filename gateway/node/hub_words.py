"""Which hub is at which address, by its own word, and whose word is not used (docs/wire.md, "Several hubs")."""

import logging
from collections.abc import Collection, Mapping, Sequence

from gateway.errors import NotForUs, PatchworkError
from gateway.events import emit
from gateway.links.hubs import Hubs, Served
from gateway.links.shown_keys import ShownKeys
from gateway.node.offers import Offer
from gateway.wire.freshness import claimed_signer


class HubWords:
    """What each hub has shown and served last."""

    def __init__(self, hubs: Hubs) -> None:
        self._hubs = hubs
        self._shown = ShownKeys()
        self._claimed: dict[str, str] = {}  # under which key it served last, verified or not
        self.doubtful: Mapping[str, str] = {}  # why what a hub serves is not used

    def key_of(self, hub: str) -> str | None:
        """The key by which an address has shown that it is a hub, listed or not; None if it has shown none."""
        return self._shown.key_of(hub)

    def themselves(self, offers: Sequence[Offer], errors: dict[str, PatchworkError]) -> list[Offer]:
        """Without those of a hub that passes on what another has signed, which are noted in `errors`."""
        others = self._shown.take({offer.hub: offer.freshness.kid for offer in offers})
        for hub, other in others.items():
            errors[hub] = NotForUs(f"shows the key of the hub at {other}: it is not that hub, or is listed here twice")
        return [offer for offer in offers if offer.hub not in others]

    def heard(self, served: Sequence[Served]) -> None:
        """Remember what each has just served."""
        self._claimed |= {each.hub: claimed_signer(each.freshness) for each in served}

    def leave_out(self, listed: Collection[str]) -> None:
        """Ask no hub that is not listed by its own word, or says that it is another; `listed`: keys in force."""
        self._hubs.leave_out(
            hub
            for hub, kid in self._claimed.items()
            if kid not in listed or self._shown.holder_of(kid) not in {None, hub}
        )

    def note_doubtful(self, errors: Mapping[str, PatchworkError]) -> None:
        """In the log, once for each new reason; who is not among `errors` is in doubt no longer."""
        for hub, error in errors.items():
            if self.doubtful.get(hub) != str(error):
                emit("hub.doubtful", level=logging.WARNING, hub=hub, code=error.code, reason=str(error))
        self.doubtful = {hub: str(error) for hub, error in errors.items()}
