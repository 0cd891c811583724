"""A hub learns from its members' requests whose clock is wrong, also from those that it refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.hub.clocks import clocks_seen
from gateway.wire.paths import CHECKPOINTS_PATH
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


async def test_what_was_signed_for_another_or_is_shown_again_tells_nothing_of_a_members_clock(
    federation: Federated,
) -> None:
    federation.publish()
    body = envelope(ASKER).to_json()
    with _clock_off(federation, -900):
        for_another = federation.authorise(body, path=f"{CHECKPOINTS_PATH}/{ASKER}")
        old = [federation.authorise(body) for _ in range(2)]
    async with running_hub(federation) as hub:
        assert (await hub.ask(body=body, authorisation=for_another)).code == "out-of-time"
        assert await _seen(hub) == {}
        assert (await hub.ask()).status == 400
        assert (await hub.ask(body=body, authorisation=old[0])).code == "out-of-time"
        assert await _seen(hub) == {ASKER: 0}
    async with running_hub(federation) as hub:  # another process of this hub, or the same after a restart
        assert (await hub.ask(body=body, authorisation=old[1])).code == "out-of-time"
        assert await _seen(hub) == {ASKER: 0}


async def test_a_clock_that_was_ahead_and_has_been_set_right_is_seen_to_be_right(federation: Federated) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        with _clock_off(federation, 7_200):
            ahead = federation.authorise(b"")
        await hub.ask(authorisation=ahead)
        assert await _seen(hub) == {ASKER: 7_200}
        await hub.ask()
        assert await _seen(hub) == {ASKER: 0}
