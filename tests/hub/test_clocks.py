"""A hub learns from its members' requests whose clock is wrong, also from those that it refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.hub.clocks import clocks_seen
from tests.hub.kit import ASKER, Federated, RunningHub, envelope, running_hub


@contextmanager
def _clock_off(federation: Federated, seconds: float) -> Iterator[None]:
    """The members' clocks run ahead of the hub's."""
    federation.clock.time += seconds
    yield
    federation.clock.time -= seconds


async def _seen(hub: RunningHub) -> dict[str, float]:
    assert hub.hub.clocks is not None
    await hub.hub.clocks.keep_now()
    seen = await hub.hub.database.read(clocks_seen())
    return {member: round(ahead) for member, (ahead, _) in seen.items()}


async def test_the_time_of_authentic_requests_is_noted_whether_or_not_they_are_refused(federation: Federated) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        assert await _seen(hub) == {}
        body = envelope(ASKER).to_json()
        with _clock_off(federation, 200):
            ahead = federation.authorise(body)
        refused = await hub.ask(body=body, authorisation=ahead)
        assert (refused.status, refused.code) == (401, "out-of-time")
        assert await _seen(hub) == {ASKER: 200}
        # Whoever has no key of a member says nothing of its clock.
        with _clock_off(federation, -400):
            forged = federation.authorise(body)
        refused = await hub.ask(body=body, authorisation=forged[:-8] + "AAAAAAAA")
        assert refused.code == "not-authentic"
        assert await _seen(hub) == {ASKER: 200}
        assert (await hub.ask()).status == 400  # nobody is asked; its time counts all the same
        assert await _seen(hub) == {ASKER: 0}
