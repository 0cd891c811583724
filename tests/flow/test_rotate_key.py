"""A node's signing key gives way to the next, and nobody is left without an answer meanwhile."""

import asyncio
import time
from pathlib import Path

import pytest

from gateway.cli.rotate_key import rotation_request
from gateway.errors import InputError
from gateway.node.results import Completed, MemberOutcome
from gateway.wire.keys import SigningKey
from gateway.wire.operator import ROTATION_OVERLAP_S, open_operator
from gateway.wire.sealing_keys import signer_of
from tests.federation import NAME, TestFederation, federation, someone
from tests.flow.commands import done, patchwork, refused

ASKER, AGENCY = "childrens-services", "housing"
TEAMS = MemberOutcome.TEAMS
DAY = 86_400


async def ask(north: TestFederation, asker: str) -> list[MemberOutcome]:
    completed: Completed = await north.ask(asker, "Katherine Bramley", born="1991-05-17")
    return [each.outcome for each in completed.results]


def key_of(north: TestFederation) -> str:
    """What AGENCY signs with now."""
    return north.nodes[AGENCY].parts.me.signing_key.kid


def key_files(north: TestFederation) -> list[str]:
    return sorted(path.name for path in (north.folder / AGENCY / "keys").glob("*.pem"))


def request(north: TestFederation, new: SigningKey, old: SigningKey) -> str:
    listed = north.operator.document.members[AGENCY]
    return rotation_request(listed, new, old, federation=NAME, now=north.clock.now())


async def accepted_by_all(north: TestFederation) -> None:
    for member in north.nodes:
        for other in north.nodes:
            await north.nodes[member].parts.membership.accept(other)
    await north.refresh()


async def test_a_node_goes_over_to_its_next_key_by_itself_and_all_questions_are_answered(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY], accept="local") as north:
        for member in (ASKER, AGENCY):
            await north.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        await accepted_by_all(north)
        old = north.nodes[AGENCY].parts.me.signing_key
        new = north.nodes[AGENCY].parts.me.signing_keys.begin()
        token = request(north, new, old)
        await north.refresh()
        assert key_of(north) == old.kid  # until the operator has listed it

        await north.publish(lambda operator: operator.update(token, north.clock.now()))
        await north.nodes[AGENCY].parts.membership.refresh()
        assert key_of(north) == new.kid
        assert await ask(north, AGENCY) == [TEAMS]  # whoever is asked holds the older document, and fetches the newer
        assert await ask(north, ASKER) == [TEAMS]
        await north.refresh()
        view = north.nodes[ASKER].parts.membership.current()
        assert not view.waiting  # its predecessor's word is enough for other members' officers
        (served,) = (await north.nodes[ASKER].parts.hubs.sealing_keys()).values()
        assert signer_of(served[AGENCY]) == new.kid  # so that it does not end with the old key

        await north.stop(AGENCY)
        await north.start(AGENCY)
        assert key_of(north) == new.kid
        assert len(key_files(north)) == 3

        north.clock.turn(ROTATION_OVERLAP_S + 1)
        await north.publish()
        await north.refresh()
        assert key_files(north) == ["ledger.pem", "signing.pem"]  # the old one has ended
        assert SigningKey.load(tmp_path / AGENCY / "keys" / "signing.pem").kid == new.kid
        assert await ask(north, ASKER) == [TEAMS]
        assert await ask(north, AGENCY) == [TEAMS]


async def test_a_next_key_that_the_operator_takes_out_again_is_no_longer_signed_with(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        await north.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        keys = north.nodes[AGENCY].parts.me.signing_keys
        old, new = keys.current, keys.begin()
        assert keys.begin().kid == new.kid  # asked for twice, it is the same
        token = request(north, new, old)
        await north.publish(lambda operator: operator.update(token, north.clock.now()))
        await north.refresh()
        assert key_of(north) == new.kid
        await north.publish(lambda operator: operator.revoke(AGENCY, new.kid, north.clock.now()))
        await north.refresh()
        assert key_of(north) == old.kid
        assert await ask(north, ASKER) == [TEAMS]
        assert keys.begin(anew=True).kid not in {old.kid, new.kid}
        assert len(key_files(north)) == 3


async def test_the_operator_takes_no_key_for_which_none_in_force_has_spoken(tmp_path: Path) -> None:
    async with federation(tmp_path, [AGENCY]) as north:
        keys = north.nodes[AGENCY].parts.me.signing_keys
        new, now = keys.begin(), north.clock.now()
        held = north.operator.document

        def refused(token: str, at: float) -> bool:
            with pytest.raises(InputError, match="no key of housing that is in force"):
                north.operator.update(token, at)
            return north.operator.document.seq == held.seq

        assert refused(request(north, new, SigningKey.generate()), now)
        ends = held.members[AGENCY].keys[0].not_after
        north.clock.time = ends - DAY
        assert refused(request(north, new, keys.current), ends + 60)  # sent in time, and taken up too late
        north.clock.time = now
        token = request(north, new, keys.current)
        await north.publish(lambda operator: operator.suspend(AGENCY, now))
        member = north.operator.update(token, now).members[AGENCY]
        assert member.status == "suspended"
        assert [key.key.kid for key in member.keys] == [keys.current.kid, new.kid]
        assert member.keys[0].not_after == int(now) + ROTATION_OVERLAP_S
        assert member.keys[1].not_after > now + 700 * DAY  # not the old one's end


async def test_the_command_makes_key_and_request_and_the_operators_takes_it(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY], now=time.time()) as north:
        config = ("-c", str(tmp_path / AGENCY / "node.toml"))
        told = await asyncio.to_thread(done, tmp_path, "node", "rotate-key", *config)
        file = tmp_path / AGENCY / "rotation-request.jws"
        assert str(file) in told
        status = await asyncio.to_thread(done, tmp_path, "node", "status", *config)
        assert "Next key, which waits for the operator" in status
        assert (file.stat().st_mode & 0o777, len(key_files(north))) == (0o600, 3)
        updated = await asyncio.to_thread(patchwork, tmp_path, "federation", "update", str(file), "--yes")
        assert "Its key until now has signed this one" in updated.out
        assert "NEW" not in updated.out
        (fingerprint,) = (line for line in told.splitlines() if line.startswith("  "))
        assert fingerprint.strip() in updated.out
        north.clock.time = time.time()  # that of the commands
        await north.hub.hub.directory.refresh()
        before = key_of(north)
        await north.nodes[AGENCY].parts.membership.refresh()  # a running node, which did not make the key itself
        assert key_of(north) != before

        # Revoked, it is not offered again.
        operator = open_operator(tmp_path / "operator")
        operator.revoke(AGENCY, key_of(north), time.time())
        await north.hub.hub.directory.refresh()
        status = await asyncio.to_thread(done, tmp_path, "node", "status", *config)
        assert "the operator has revoked it; `patchwork node rotate-key --anew`" in status
        assert "waits for the operator" not in status
        assert "revoked" in await asyncio.to_thread(refused, tmp_path, "node", "rotate-key", *config)
        assert fingerprint not in await asyncio.to_thread(done, tmp_path, "node", "rotate-key", "--anew", *config)
