"""The operator's key, which each node pins, gives way to the next: to whoever has accepted it, and to nobody else."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from gateway.accounts.account import Role
from gateway.errors import FederationError, FederationStale, InputError, NotAuthentic, PatchworkError
from gateway.hub.directory import Directory
from gateway.links.hubs import Hubs, Served
from gateway.node.check_evidence import check
from gateway.node.findings import Verdict
from gateway.node.question_evidence import evidence_of
from gateway.node.results import MemberOutcome
from gateway.wire.federation import sign_document
from gateway.wire.hand_over import HAND_OVER_S, hand_overs_file, sign_hand_over, verify_hand_over
from gateway.wire.keys import SigningKey, fingerprint
from gateway.wire.operator import NEXT_KEY_FILE, init_operator, load_operator_keys, open_operator
from tests.federation import NAME, TestFederation, federation, someone
from tests.flow.commands import in_process

ASKER, AGENCY, LATE = "childrens-services", "housing", "police"
TEAMS = MemberOutcome.TEAMS
DAY = 86_400


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Each node, and the hub, has the operator's key in a file of its own, as in real life."""
    async with federation(tmp_path, [ASKER, AGENCY, LATE], now=time.time(), web=True) as running:
        for party in (*running.nodes, "hub"):
            home = running.folder / party
            (home / "operator.jwk").write_bytes(orjson.dumps(running.operator.key.public_jwk()))
            config = home / ("hub.toml" if party == "hub" else "node.toml")
            config.write_text(config.read_text().replace("../operator/operator.jwk", "operator.jwk"))
        await again(running)
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        yield running


async def again(north: TestFederation, *members: str) -> None:
    """The hub and nodes go down, and up with the files they now have."""
    if not members:
        await north.restart_hub()
    for member in members or tuple(north.nodes):
        await north.stop(member)
        await north.start(member)
    if not members:
        await north.refresh()


async def outcome(north: TestFederation, member: str) -> MemberOutcome:
    completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    return next(each.outcome for each in completed.results if each.member.id == member)


async def accepted(north: TestFederation, party: str) -> str:
    """An officer compares the fingerprint, and says yes; returns what they were shown."""
    role, file = ("hub", "hub.toml") if party == "hub" else ("node", "node.toml")
    config = str(north.folder / party / file)
    ran = await asyncio.to_thread(in_process, role, "accept-operator", "-c", config, "--yes")
    assert not ran.code, ran.said
    return ran.out


async def test_who_has_accepted_the_next_key_goes_on_and_who_has_not_stops(north: TestFederation) -> None:
    first = (await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")).jti
    await north.nodes[AGENCY].checkpoints.visit()
    await north.publish(lambda operator: operator.hand_over(north.clock.now(), overlap_s=HAND_OVER_S))
    await north.refresh()
    old = north.operator.key
    assert north.operator.document.hand_over is not None
    new = north.operator.document.hand_over.new
    for member in (ASKER, AGENCY, LATE):
        waiting = north.nodes[member].parts.membership.hand_over
        assert waiting is not None
        assert waiting.new == new  # by itself nobody believes it, though `accept_members` is the operator's
    assert "accept-operator" in await status(north, LATE)
    await pages_say_so(north, ASKER)
    for party in (ASKER, AGENCY, "hub"):
        assert new.kid not in await accepted(north, party)  # a fingerprint, to be read aloud
    config = str(north.folder / ASKER / "node.toml")
    twice = await asyncio.to_thread(in_process, "node", "accept-operator", "-c", config, "--yes")
    assert "has been accepted here already" in twice.err
    await north.refresh()
    assert north.nodes[AGENCY].parts.membership.hand_over is None
    for role, home in (("node", AGENCY), ("hub", "hub")):
        await moved(role, north.folder / home / f"{role}.toml")

    with pytest.raises(InputError, match="still have time"):
        north.operator.take_over(north.clock.now())
    north.clock.turn(HAND_OVER_S + 1)
    await north.publish(lambda operator: operator.take_over(north.clock.now()))
    north.operator = open_operator(north.folder / "operator")
    assert north.operator.key.verify_key() == new
    assert not (north.folder / "operator" / NEXT_KEY_FILE).exists()
    await north.refresh(ASKER, AGENCY)
    with pytest.raises(NotAuthentic):
        await north.nodes[LATE].parts.membership.refresh()
    assert await outcome(north, AGENCY) is TEAMS
    assert await outcome(north, LATE) in {MemberOutcome.UNREACHABLE, MemberOutcome.NOT_TRIED}

    # Restarted, each knows both keys: documents of the past are the old one's.
    await again(north, ASKER, AGENCY)
    await north.refresh(ASKER, AGENCY)
    assert await outcome(north, AGENCY) is TEAMS
    chain = load_operator_keys(north.folder / AGENCY / "operator.jwk")
    evidence = await evidence_of(first, node=north.nodes[AGENCY].parts, operator_key=chain, asked_by=ASKER)
    assert evidence.operator_key == old.verify_key()  # by whom the document of that time is signed
    for keys in (chain, old.verify_key()):
        verdicts = {finding.verdict for finding in check(evidence, operator_key=keys)}
        assert Verdict.PROVEN in verdicts
        assert Verdict.FALSE not in verdicts
    # Late is better than never: what it held names the next key.
    await accepted(north, LATE)
    await north.refresh()
    assert await outcome(north, LATE) is MemberOutcome.NOTHING_TO_DISCLOSE

    # The old key signs nothing any more.
    held = north.operator.document
    stolen = sign_document(
        operator=held.operator,
        name=NAME,
        seq=held.seq + 1,
        members=tuple(held.members.values()),
        agreements=(),
        hub_keys=tuple(held.hub_keys.values()),
        key=old,
        now=north.clock.now(),
    )
    (north.folder / "operator" / "federation.jws").write_bytes(stolen.token)
    directory: Directory = north.hub.hub.directory
    with pytest.raises(NotAuthentic, match="handed over"):
        await directory.refresh()


async def pages_say_so(north: TestFederation, member: str) -> None:
    page = await (await north.sign_in(member, Role.AUDITOR)).get("/manage/federation")
    assert re.search(r"goes over to another key by \d+ \w+ 20\d\d.*patchwork node accept-operator", page.words)


async def moved(role: str, config: Path) -> None:
    """What was accepted goes along to another machine, or the new operator's documents would be nobody's there."""
    folder = config.parent.parent / f"moved-{role}"
    new = folder / "new" / config.name
    keys = ("--keys", f"{folder}-keys") if role == "hub" else ()
    apart = keys or ("--together",)
    for words in (("backup", str(folder), "-c", str(config), *apart), ("restore", str(folder), "-c", str(new), *keys)):
        ran = await asyncio.to_thread(in_process, role, *words)
        assert "operator-hand-over.jws" not in ran.said  # as left out
    assert len(load_operator_keys(new.parent / "operator.jwk").keys) == 2


async def test_only_the_pinned_key_hands_over_and_only_once(north: TestFederation) -> None:
    pinned = north.folder / AGENCY / "operator.jwk"
    old, new, other, stranger = north.operator.key, *(SigningKey.generate() for _ in range(3))
    now = north.clock.now()

    def word(of: SigningKey, to: SigningKey, name: str = NAME) -> str:
        return sign_hand_over(to.verify_key(), of, federation=name, now=now, overlap_s=DAY)

    file = hand_overs_file(pinned)
    for text in (
        word(stranger, new),
        f"{word(old, new)}\n{word(old, other)}\n",  # two successors of one key
        f"{word(old, new)}\n{word(new, old)}\n",  # and back
        f"{word(old, new)}\n{word(new, other, 'elsewhere')}\n",
    ):
        file.write_text(text)
        with pytest.raises(PatchworkError, match="operator-hand-over"):
            load_operator_keys(pinned)
    file.write_text(f"{word(old, new)}\n{word(new, other)}\n")
    chain = load_operator_keys(pinned)
    assert list(chain.keys) == [old.kid, new.kid, other.kid]
    assert chain.newest == other.verify_key()
    with pytest.raises(NotAuthentic):
        verify_hand_over(word(stranger, new), old.verify_key())
    # A document carries its own signer's word and nobody else's.
    held = north.operator.document
    for said in (word(stranger, new), word(old, new, "elsewhere")):
        with pytest.raises(PatchworkError):
            sign_document(
                operator=held.operator,
                name=NAME,
                seq=held.seq + 1,
                members=(),
                agreements=(),
                hub_keys=tuple(held.hub_keys.values()),
                key=old,
                now=now,
                hand_over=said,
            )


async def test_a_take_over_that_broke_off_is_ended_by_the_next_command(north: TestFederation) -> None:
    folder, now = north.folder / "operator", north.clock.now()
    operator = open_operator(folder)
    operator = replace(operator, document=operator.hand_over(now, overlap_s=60))
    before = {name: (folder / name).read_bytes() for name in ("operator.pem", "operator.jwk", NEXT_KEY_FILE)}
    operator.take_over(now + 61)
    for name, data in before.items():  # the document was written, and then the machine failed
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    again = open_operator(folder)
    assert again.key.kid != operator.key.kid
    assert again.renew(now + 62).seq == again.document.seq + 1
    assert (folder / f"operator-{operator.key.kid}.jwk").exists()


async def test_a_hub_that_was_late_accepts_the_next_key_by_the_list_that_it_holds(north: TestFederation) -> None:
    await north.publish(lambda operator: operator.hand_over(north.clock.now(), overlap_s=HAND_OVER_S))
    north.clock.turn(HAND_OVER_S + 1)
    with pytest.raises(NotAuthentic):  # the hub does not know who has signed this
        await north.publish(lambda operator: operator.take_over(north.clock.now()))
    north.operator = open_operator(north.folder / "operator")
    assert fingerprint(north.operator.key.public_jwk()) in await accepted(north, "hub")
    await north.restart_hub()
    taken = north.hub.hub.directory.federation()
    assert taken.token == north.operator.document.token


async def test_a_stolen_key_is_replaced_by_one_that_nothing_vouches_for_and_all_is_accepted_anew(
    north: TestFederation,
) -> None:
    thief, config = SigningKey.generate(), str(north.folder / AGENCY / "node.toml")
    (north.folder / "new.jwk").write_bytes(orjson.dumps(thief.public_jwk()))
    typed = ("node", "accept-operator", "--replace-by", str(north.folder / "new.jwk"), "-c", config)
    ran = await asyncio.to_thread(in_process, *typed)
    assert ran.code  # nobody is there to answer
    assert await outcome(north, AGENCY) is TEAMS
    ran = await asyncio.to_thread(in_process, *typed, "--yes")
    assert not ran.code, ran.said
    with pytest.raises(NotAuthentic):  # what the old one signed is nobody's word now
        await north.nodes[AGENCY].parts.membership.refresh()
    with pytest.raises(FederationError):
        north.nodes[AGENCY].parts.membership.current()
    await again(north, AGENCY)  # its archive of documents keeps it from nothing
    kept = north.folder / AGENCY / f"operator-{north.operator.key.kid}.jwk"
    assert kept.exists()  # for evidence of that time


async def test_a_hub_that_answers_late_brings_back_nothing_of_a_key_that_was_replaced_meanwhile(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    (north.folder / "new.jwk").write_bytes(orjson.dumps(SigningKey.generate().public_jwk()))
    config = str(north.folder / AGENCY / "node.toml")
    typed = ("node", "accept-operator", "--replace-by", str(north.folder / "new.jwk"), "--yes", "-c", config)
    membership, ask_hubs = north.nodes[AGENCY].parts.membership, Hubs.federation
    fetched, goes_on = asyncio.Event(), asyncio.Event()

    async def late(hubs: Hubs) -> list[Served]:
        served = await ask_hubs(hubs)
        fetched.set()
        await goes_on.wait()
        return served

    with monkeypatch.context() as patch:
        patch.setattr(Hubs, "federation", late)
        under_way = asyncio.create_task(membership.refresh())
        await fetched.wait()
        assert not (await asyncio.to_thread(in_process, *typed)).code
        goes_on.set()
        with pytest.raises(NotAuthentic):
            await under_way
    with pytest.raises(FederationError):
        membership.current()


async def test_a_document_that_the_pinned_key_does_not_verify_counts_as_none_and_gives_way(
    north: TestFederation,
) -> None:
    anew = init_operator(north.folder / "anew", name=NAME, hub_key=north.hub.hub.key().verify_key(), now=time.time())
    membership, pinned = north.nodes[AGENCY].parts.membership, north.folder / AGENCY / "operator.jwk"
    # As after a refresh whose last write came just behind the officer's: the old document is stored, the key is new.
    pinned.write_bytes(orjson.dumps(anew.key.public_jwk()))
    with pytest.raises(NotAuthentic):
        await membership.refresh()
    with pytest.raises(FederationStale):
        membership.current()
    await again(north, AGENCY)
    assert north.nodes[AGENCY].parts.membership.received is None
    (north.folder / "operator" / "federation.jws").write_bytes(anew.document.token)
    new, config = str(north.folder / "anew" / "operator.jwk"), str(north.folder / "hub" / "hub.toml")
    ran = await asyncio.to_thread(in_process, "hub", "accept-operator", "--replace-by", new, "--yes", "-c", config)
    assert not ran.code, ran.said
    await north.restart_hub()
    view = await north.nodes[AGENCY].parts.membership.refresh()
    assert view.federation.seq == 1 < north.operator.document.seq
    await again(north, AGENCY)
    assert north.nodes[AGENCY].parts.membership.current().federation.seq == 1


async def test_after_a_loss_hub_and_nodes_begin_again_under_another_operators_key(north: TestFederation) -> None:
    before, hub_key = north.operator.document.seq, north.hub.hub.key().verify_key()
    anew = init_operator(north.folder / "anew", name=NAME, hub_key=hub_key, now=north.clock.now())
    (north.folder / "operator" / "federation.jws").write_bytes(anew.document.token)
    typed = ("accept-operator", "--replace-by", str(north.folder / "anew" / "operator.jwk"), "--yes", "-c")
    config = str(north.folder / "hub" / "hub.toml")
    ran = await asyncio.to_thread(in_process, "hub", "accept-operator", "--yes", "-c", config)
    assert ran.code == 1
    assert "names a next one" in ran.err  # the old key has not spoken for this one
    assert "--replace-by" in ran.err
    ran = await asyncio.to_thread(in_process, "hub", *typed, config)
    assert not ran.code, ran.said
    await north.restart_hub()
    # At one agency somebody has put the new file in the old one's place already.
    (north.folder / ASKER / "operator.jwk").write_bytes((north.folder / "anew" / "operator.jwk").read_bytes())
    for member in (AGENCY, ASKER):
        ran = await asyncio.to_thread(in_process, "node", *typed, str(north.folder / member / "node.toml"))
        assert not ran.code, ran.said
    await north.nodes[ASKER].parts.membership.refresh()
    view = await north.nodes[AGENCY].parts.membership.refresh()
    assert (view.federation.seq, dict(view.federation.members)) == (1, {})
    assert before > 1  # the thief's numbers count for nothing
    with pytest.raises(NotAuthentic):
        await north.nodes[LATE].parts.membership.refresh()


async def status(north: TestFederation, member: str) -> str:
    config = str(north.folder / member / "node.toml")
    return (await asyncio.to_thread(in_process, "node", "status", "-c", config)).out
