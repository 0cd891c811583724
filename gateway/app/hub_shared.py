"""What one process of a hub has in common with the others, beside the database: members' links, places, who fails."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.clock import Clock
from gateway.hub.circuit import Circuits
from gateway.hub.places import Places, open_places
from gateway.links.sibling_frames import Failing
from gateway.links.sibling_sockets import SocketFolder, open_folder
from gateway.links.siblings import Siblings
from gateway.links.websocket import WebSocketLink
from gateway.wire.keys import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """Process `number`, from 0, of `processes` that share a hub's port, its limits and its members' links.

    `group` names this start of the hub, the same in each of them.
    """

    processes: int
    port: int
    number: int
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Made by `share`."""

    siblings: Siblings
    circuits: Circuits
    places: Places
    folder: SocketFolder

    def close(self) -> None:
        """Let places and folder go; who made the link over `siblings` closes that before."""
        self.places.close()
        self.folder.close()


async def share(
    data: Path, sharing: Sharing, *, links: WebSocketLink, key: Callable[[], SigningKey], clock: Clock
) -> Shared:
    """Meet the other processes in the folder `data`; raises ConfigurationError, StorageError."""
    folder = open_folder(data, sharing.group)
    try:
        places = open_places(folder.places, number=sharing.number, processes=sharing.processes)
    except BaseException:
        folder.close()
        raise
    circuits = Circuits(clock=clock, places=places)
    siblings = Siblings(
        links=links,
        key=key,
        clock=clock,
        heard=lambda said: circuits.heard(said.member, said.in_a_row, said.skip_until),
        failing=lambda: [Failing(*each) for each in circuits.skipped()],
    )
    circuits.when_changed(lambda member, in_a_row, until: siblings.tell(Failing(member, in_a_row, until)))
    shared = Shared(siblings=siblings, circuits=circuits, places=places, folder=folder)
    try:
        await siblings.open(folder, number=sharing.number, processes=sharing.processes)
    except BaseException:
        await siblings.close()
        shared.close()
        raise
    return shared
