"""A hub's signing key gives way to the next: all questions are answered, and what it signed before holds."""

from pathlib import Path

import pytest

from consent_ledger import heads
from gateway.cli.rotate_hub_key import ROTATION_FILE
from gateway.errors import InputError, WireError
from gateway.hub.keys import HubKeys
from gateway.node.check_evidence import check
from gateway.node.findings import Verdict
from gateway.node.question_evidence import evidence_of
from gateway.node.results import MemberOutcome
from gateway.wire.federation import HUB
from gateway.wire.join import sign_rotation
from gateway.wire.keys import SigningKey
from gateway.wire.keys import fingerprint as spelt
from gateway.wire.operator import ROTATION_OVERLAP_S, load_verify_key
from gateway.wire.rotating_keys import SETTLED_S
from tests.federation import NAME, TestFederation, federation, someone
from tests.flow.commands import in_process

ASKER, AGENCY = "childrens-services", "housing"
TEAMS = MemberOutcome.TEAMS
DAY = 86_400


async def ask(north: TestFederation) -> tuple[str, list[MemberOutcome]]:
    completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    assert completed.coverage_agrees
    return completed.jti, [each.outcome for each in completed.results]


def keys_of(north: TestFederation) -> HubKeys:
    """The hub's keys as another process finds them."""
    return HubKeys(north.folder / "hub" / "keys")


def key_files(north: TestFederation) -> list[str]:
    return sorted(path.name for path in (north.folder / "hub" / "keys").glob("hub*"))


async def follow(north: TestFederation) -> str:
    """What the serving hub signs with, after one of its looks."""
    directory = north.hub.hub.directory
    await directory.refresh()
    directory.follow_keys()
    return north.hub.hub.key().kid


async def vouched_by_hub(north: TestFederation, jti: str) -> bool:
    """Whether the agency's evidence of its answer proves that the hub vouched for its ledger."""
    key = north.operator.key.verify_key()
    evidence = await evidence_of(jti, node=north.nodes[AGENCY].parts, operator_key=key, asked_by=ASKER)
    found = list(check(evidence, operator_key=key))
    assert not [finding for finding in found if finding.verdict is Verdict.FALSE]
    return any(finding.says.startswith("hub vouches") for finding in found if finding.verdict is Verdict.PROVEN)


async def test_a_hub_goes_over_to_its_next_key_and_old_signatures_hold(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        await north.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        first, _ = await ask(north)
        await north.nodes[AGENCY].checkpoints.visit()
        old = north.hub.hub.key()
        new = keys_of(north).begin()
        word = sign_rotation(new.verify_key(), old, member=HUB, federation=NAME, now=north.clock.now())
        assert await follow(north) == old.kid  # nobody knows the next one yet

        await north.publish(lambda operator: operator.rotate_hub(word, north.clock.now()))
        assert await follow(north) == old.kid  # nodes that have not fetched this document would not believe it
        assert (await ask(north))[1] == [TEAMS]
        await north.refresh()
        north.clock.turn(SETTLED_S + 1)
        assert await follow(north) == new.kid
        await north.refresh()
        assert (await ask(north))[1] == [TEAMS]
        visit = await north.nodes[AGENCY].checkpoints.visit()
        assert [word.said.value for word in visit.words] == ["cosigned"]  # the same witness under another's word

        north.clock.turn(ROTATION_OVERLAP_S)
        document = north.operator.renew(north.clock.now())
        await north.publish()
        assert list(document.hub_keys) == [new.kid]  # the old one has had its time
        assert await follow(north) == new.kid
        assert key_files(north) == ["hub.pem"]
        assert SigningKey.load(tmp_path / "hub" / "keys" / "hub.pem").kid == new.kid
        await north.restart_hub()
        assert await follow(north) == new.kid
        await north.refresh()
        second, outcomes = await ask(north)
        assert outcomes == [TEAMS]
        await north.nodes[AGENCY].checkpoints.visit()
        assert await vouched_by_hub(north, first)  # by the document of that time
        assert await vouched_by_hub(north, second)
        assert len(await north.nodes[AGENCY].ledger_database.read(heads.key_statements(HUB))) == 2

        # What the old key signs now is nobody's word.
        with pytest.raises(InputError, match="no hub's key that is in force"):
            north.operator.read_hub_rotation(
                sign_rotation(SigningKey.generate().verify_key(), old, member=HUB, federation=NAME, now=0),
                north.clock.now(),
            )
        visit = await north.nodes[AGENCY].checkpoints.visit()
        assert [word.said.value for word in visit.words] == ["cosigned"]


async def test_the_operator_takes_no_next_key_that_a_listed_one_has_not_lately_named(tmp_path: Path) -> None:
    async with federation(tmp_path, []) as north:
        hub, stranger, new, now = north.hub.hub.key(), SigningKey.generate(), SigningKey.generate(), north.clock.now()
        public = new.verify_key()
        for token, at in (
            (sign_rotation(public, stranger, member=HUB, federation=NAME, now=now), now),
            (sign_rotation(public, hub, member=HUB, federation="elsewhere", now=now), now),
            (sign_rotation(public, hub, member="housing", federation=NAME, now=now), now),
            (sign_rotation(public, hub, member=HUB, federation=NAME, now=now), now + 31 * DAY),  # an old one again
            (sign_rotation(hub.verify_key(), hub, member=HUB, federation=NAME, now=now), now),
        ):
            with pytest.raises((InputError, WireError)):
                north.operator.rotate_hub(token, at)
        document = north.operator.rotate_hub(sign_rotation(public, hub, member=HUB, federation=NAME, now=now), now)
        assert document.hub_ends == {hub.kid: int(now) + ROTATION_OVERLAP_S, new.kid: document.hub_ends[new.kid]}
        assert document.hub_ends[new.kid] > now + 700 * DAY


async def test_commands_make_the_next_key_and_list_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (("hub", "init", "hub"), ("federation", "init", "orchard", "--hub-key", "hub/hub.jwk")):
        assert not in_process(*words).code
    for name in ("operator.jwk", "federation.jws"):
        (tmp_path / "hub" / name).write_bytes((tmp_path / "operator" / name).read_bytes())
    config = ("-c", str(tmp_path / "hub" / "hub.toml"))
    told = in_process("hub", "rotate-key", *config)
    file = tmp_path / "hub" / ROTATION_FILE
    assert (told.code, file.stat().st_mode & 0o777) == (0, 0o600)
    assert len(list((tmp_path / "hub" / "keys").glob("*.pem"))) == 2
    listed = in_process("federation", "rotate-hub", str(file), "--yes")
    assert not listed.code, listed.said
    (fingerprint,) = (line.strip() for line in told.out.splitlines() if line.startswith("  "))
    assert fingerprint in listed.out
    assert spelt(load_verify_key(tmp_path / "hub" / "hub.jwk").jwk()) == fingerprint  # for whoever lists this hub anew
    shown = in_process("federation", "show").out
    assert shown.count("Hub key ") == 2
    assert shown.count(", until ") == 2
    again = in_process("federation", "rotate-hub", str(file), "--yes")
    assert "is listed already" in again.err
    (tmp_path / "hub" / "federation.jws").write_bytes((tmp_path / "operator" / "federation.jws").read_bytes())
    assert "goes over to it by itself" in in_process("hub", "rotate-key", "--anew", *config).err
    assert len(list((tmp_path / "hub" / "keys").glob("*.pem"))) == 2  # a key that is listed is not thrown away
