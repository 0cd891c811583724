"""Who may submit a checkpoint, and for whom: at the hub's door and at a member's."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from consent_ledger.note import NoteKey
from gateway.errors import HubError, WireError
from gateway.events import Bounded
from gateway.links.witness_client import WitnessAddress, WitnessClient
from gateway.wire.checkpoints import Submission
from gateway.wire.keys import SigningKey
from gateway.wire.paths import CHECKPOINTS_PATH
from gateway.wire.request import sign_request
from tests.federation import NAME, NOW, TestFederation, federation

LOG, WITNESS, OTHER = "housing", "police", "childrens-services"


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Three members."""
    async with federation(tmp_path, [LOG, WITNESS, OTHER]) as running:
        yield running


def address(north: TestFederation, witness: str) -> WitnessAddress:
    return WitnessAddress(url=f"http://127.0.0.1:{north.ports[witness]}", aud=NAME if witness == "hub" else witness)


def client(north: TestFederation, member: str, *, key: SigningKey | None = None) -> WitnessClient:
    """What speaks for a member, perhaps with a key that is not its own."""
    node = north.nodes[member]
    signing = key or node.parts.me.signing_key
    return WitnessClient(node.session, member=member, key=lambda: signing, clock=north.clock)


async def own_note(north: TestFederation) -> str:
    return (await north.nodes[LOG].checkpoints.visit()).stored.note


@pytest.mark.parametrize("witness", ["hub", WITNESS])
async def test_a_member_has_its_own_ledger_cosigned_and_asks_what_was_seen(north: TestFederation, witness: str) -> None:
    note = await own_note(north)
    speaker = client(north, LOG)
    verdict = await speaker.submit(address(north, witness), Submission(note=note))
    assert verdict.cosignature is not None
    assert (await speaker.held(address(north, witness))).note == note
    # Submitting it twice is no offence.
    assert (await speaker.submit(address(north, witness), Submission(note=note))).refused is None


async def test_nobody_submits_another_members_ledger(north: TestFederation) -> None:
    """Its own signature would be good: but what a member has seen is moved by that member alone."""
    note = await own_note(north)
    verdict = await client(north, WITNESS).submit(address(north, "hub"), Submission(note=note))
    assert verdict.refused is not None
    assert (await client(north, WITNESS).held(address(north, "hub"))).note is None


@pytest.mark.parametrize("witness", ["hub", WITNESS])
async def test_nobody_is_told_the_size_of_another_members_ledger(north: TestFederation, witness: str) -> None:
    """A member that asks often, and knows what its questions may bring about, would read off what they did."""
    await own_note(north)
    at, path, now = address(north, witness), f"{CHECKPOINTS_PATH}/{LOG}", north.clock.now()
    async with aiohttp.ClientSession() as session:
        for asks, status in ((LOG, 200), (OTHER, 403)):
            token = sign_request(
                north.nodes[asks].parts.me.signing_key,
                iss=asks,
                aud=at.aud,
                method="GET",
                path=path,
                body=b"",
                now=now,
                jti=str(uuid4()),
            )
            async with session.get(at.url + path, headers={"Authorization": token}) as response:
                assert response.status == status


@pytest.mark.parametrize("witness", ["hub", WITNESS])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_strangers_are_refused_before_anything_is_read(north: TestFederation, witness: str, method: str) -> None:
    path = CHECKPOINTS_PATH if method == "POST" else f"{CHECKPOINTS_PATH}/{LOG}"
    url = address(north, witness).url + path
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {"Authorization": "Patchwork a.b.c"}):
            async with session.request(method, url, headers=headers, data=b"{}") as response:
                assert response.status in (400, 401)
    with pytest.raises(HubError, match="refused the request"):
        await client(north, LOG, key=SigningKey.generate()).held(address(north, witness))


async def test_a_member_submits_no_more_than_sixty_heads_an_hour_to_another(north: TestFederation) -> None:
    """Each new epoch is a row for good, and the witness's writer is the one that its own answers need."""
    note, speaker = Submission(note=await own_note(north)), client(north, LOG)
    for _ in range(60):
        assert (await speaker.submit(address(north, WITNESS), note)).cosignature is not None
    with pytest.raises(HubError, match=r"refused the request \(503\)"):
        await speaker.submit(address(north, WITNESS), note)
    assert (await speaker.held(address(north, WITNESS))).note == note.note  # to look is not to submit
    north.clock.turn(3600)
    await north.publish()
    await north.refresh()
    assert (await speaker.submit(address(north, WITNESS), note)).cosignature is not None


async def test_a_suspended_member_is_cosigned_no_more(north: TestFederation) -> None:
    note = await own_note(north)
    await north.publish(lambda operator: operator.suspend(LOG, north.clock.now()))
    await north.refresh(WITNESS)
    for witness in ("hub", WITNESS):
        with pytest.raises(HubError, match="refused the request"):
            await client(north, LOG).submit(address(north, witness), Submission(note=note))


async def test_a_hub_that_cosigns_with_a_key_it_does_not_vouch_for_counts_for_nothing(north: TestFederation) -> None:
    witnesses = north.nodes[LOG].checkpoints.witnesses
    (answer,) = await witnesses.ask()
    (key,) = witnesses.keys_of(answer, north.clock.now())
    assert isinstance(key, NoteKey)
    assert answer.key_statement is not None
    forged = answer.key_statement[:-6] + "AAAAAA"
    with pytest.raises(WireError, match="signature"):
        witnesses.keys_of(replace(answer, key_statement=forged), north.clock.now())


@pytest.mark.parametrize("reasons", [["one"] * 50, [f"reason {number}" for number in range(50)]])
def test_whoever_is_refused_again_and_again_fills_no_log(reasons: list[str], caplog: pytest.LogCaptureFixture) -> None:
    refusals = Bounded("checkpoint.refused", most=4)
    with caplog.at_level(logging.WARNING, "patchwork"):
        for reason in reasons:
            refusals.warn(member=LOG, reason=reason, now=NOW)
        assert len(caplog.messages) == min(len(set(reasons)), 4)
        refusals.warn(member="another", reason=reasons[0], now=NOW)
        refusals.warn(member=LOG, reason=reasons[0], now=NOW + 3600)
    assert len(caplog.messages) == min(len(set(reasons)), 4) + 2
