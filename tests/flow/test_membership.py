"""Who is a member, with which keys, under which agreement: each change acts within one refresh of each node."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import FederationStale, HubError, InputError
from gateway.files import replace_file
from gateway.node import membership
from gateway.node.membership import Membership, View
from gateway.node.results import Completed, MemberOutcome
from gateway.policy.agreement import read_agreement
from gateway.policy.in_force import sign_agreement
from gateway.wire.federation import AgreementBytes, Federation, MemberKey, sign_document
from gateway.wire.join import sign_rotation
from gateway.wire.keys import SigningKey
from gateway.wire.limits import DOCUMENT_LIFETIME_S, SEALING_KEY_LIFETIME_S
from gateway.wire.operator import (
    DOCUMENT_FILE,
    Operator,
)
from gateway.wire.seal import HybridPrivateKey, PublicSealingKey
from gateway.wire.sealing_keys import BETWEEN_COPIES_S, sign_sealing_key
from tests.federation import AGREEMENT, NAME, TestFederation, federation, someone

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"
TEAMS, NOTHING = MemberOutcome.TEAMS, MemberOutcome.NOTHING_TO_DISCLOSE
UNREACHABLE, NOT_TRIED = MemberOutcome.UNREACHABLE, MemberOutcome.NOT_TRIED
PERSON = ("Katherine", "Bramley", "1991-05-17")
DAY = 86_400


async def ask(north: TestFederation, asker: str = ASKER) -> dict[str, MemberOutcome]:
    """Outcome by member."""
    completed: Completed = await north.ask(asker, "Katherine Bramley", born="1991-05-17")
    return {each.member.id: each.outcome for each in completed.results}


def view(north: TestFederation, member: str) -> View:
    """What a member relies on now."""
    return north.nodes[member].parts.membership.current()


async def refresh_once(north: TestFederation, *members: str) -> None:
    """One refresh each, as nodes do by themselves twice a minute."""
    for member in members:
        await north.nodes[member].parts.membership.refresh()


@pytest.mark.parametrize("party", [ASKER, AGENCY])
async def test_an_agreement_that_one_member_has_not_signed_asks_and_answers_nothing(tmp_path: Path, party: str) -> None:
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], not_signing=[party]) as north:
        for member in (AGENCY, OTHER):
            await north.add(member, *someone(*PERSON))
        if party == AGENCY:
            assert await ask(north) == {OTHER: TEAMS}
        else:
            with pytest.raises(InputError, match="no agreement in force"):
                await ask(north)
        assert await north.ledger(AGENCY) == []


async def test_an_agreement_that_the_answering_member_has_not_accepted_discloses_nothing(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], not_accepting=[AGENCY]) as north:
        for member in (AGENCY, OTHER):
            await north.add(member, *someone(*PERSON))
        assert await ask(north) == {AGENCY: NOTHING, OTHER: TEAMS}
        (entry,) = await north.ledger(AGENCY)
        assert [(each["effect"], each["reason"]) for each in entry["decisions"]] == [("deny", "no-agreement")]
        # Accepted in the settings, it binds from the next start.
        settings = tmp_path / AGENCY / "node.toml"
        accept = f'accept_members = "operator"\nagreements = ["{AGREEMENT}"]\n'
        settings.write_text(settings.read_text().replace('accept_members = "operator"\n', accept))
        await north.stop(AGENCY)
        await north.start(AGENCY)
        await north.refresh()
        assert await ask(north) == {AGENCY: TEAMS, OTHER: TEAMS}


async def test_an_agreement_that_the_asker_has_not_accepted_is_not_asked_under(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY], not_accepting=[ASKER]) as north:
        with pytest.raises(InputError, match="no agreement in force"):
            await ask(north)
        assert await north.ledger(AGENCY) == []


@pytest.mark.parametrize(
    "change",
    [("end_date = 2036-12-31", "end_date = 2026-09-20"), ("start_date = 2026-01-01", "start_date = 2026-09-22")],
)
async def test_an_agreement_outside_its_dates_is_not_asked_under(tmp_path: Path, change: tuple[str, str]) -> None:
    agreement = tmp_path / "agreement.toml"
    agreement.write_text(AGREEMENT.read_text().replace(*change))
    assert agreement.read_text() != AGREEMENT.read_text()
    async with federation(tmp_path, [ASKER, AGENCY], agreement=agreement) as north:
        with pytest.raises(InputError, match="no agreement in force"):
            await ask(north)


async def test_an_agreement_that_ends_meanwhile_discloses_nothing_from_the_next_day_on(tmp_path: Path) -> None:
    agreement = tmp_path / "agreement.toml"
    agreement.write_text(AGREEMENT.read_text().replace("end_date = 2036-12-31", "end_date = 2026-09-21"))
    async with federation(tmp_path, [ASKER, AGENCY], agreement=agreement, lying=True) as north:
        assert north.liar is not None
        await north.add(AGENCY, *someone(*PERSON))
        north.clock.time = 1_790_035_170.0  # 2026-09-21T23:59:30Z
        await north.refresh()
        assert await ask(north) == {AGENCY: TEAMS}
        north.liar.keeps_questions = True
        await ask(north)  # still asked on the last day, delivered on the next
        north.clock.turn(40)
        await north.refresh(AGENCY)
        assert (await north.liar.deliver(AGENCY, north.liar.stolen(AGENCY))).status == 200
        entry = (await north.ledger(AGENCY))[-1]
        assert (entry["outcome"], entry["decisions"][0]["reason"]) == (NOTHING, "no-agreement")


async def test_a_suspended_member_is_neither_asked_nor_answered_and_a_resumed_one_is_again(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], lying=True) as north:
        assert north.liar is not None
        for member in (ASKER, AGENCY, OTHER):
            await north.add(member, *someone(*PERSON))
        north.liar.keeps_questions = True
        await ask(north, OTHER)
        kept = north.liar.stolen(AGENCY)
        north.liar.keeps_questions = False

        await north.publish(lambda operator: operator.suspend(OTHER, north.clock.now()))
        await refresh_once(north, ASKER, AGENCY)

        assert await ask(north) == {AGENCY: TEAMS}
        with pytest.raises(HubError, match="401"):
            await ask(north, OTHER)  # it has not even noticed yet
        # Nor does a hub help that delivers all the same.
        refused = await north.liar.deliver(AGENCY, kept)
        assert (refused.status, refused.code) == (401, "not-authentic")
        assert [entry["asker"]["member"] for entry in await north.ledger(AGENCY)] == [ASKER]

        await north.publish(lambda operator: operator.resume(OTHER, north.clock.now()))
        await north.refresh()
        assert await ask(north) == {AGENCY: TEAMS, OTHER: TEAMS}
        assert await ask(north, OTHER) == {AGENCY: TEAMS, ASKER: TEAMS}


async def test_a_suspension_acts_although_the_hub_serves_no_sealing_keys(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], lying=True) as north:
        assert north.liar is not None
        await north.publish(lambda operator: operator.suspend(OTHER, north.clock.now()))
        north.liar.replies["/v1/sealing-keys"] = lambda _: {"sealing_keys": "none today"}
        with pytest.raises(Exception, match="sealing keys"):
            await refresh_once(north, ASKER)
        assert (await ask(north)).keys() == {AGENCY}


async def test_a_new_member_waits_until_this_nodes_officer_accepts_it(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], accept="local") as north:
        for member in (ASKER, AGENCY, OTHER):
            await north.add(member, *someone(*PERSON))
        assert sorted(view(north, ASKER).federation.members) == [ASKER]
        assert {change.member for change in view(north, ASKER).waiting} == {AGENCY, OTHER}
        with pytest.raises(InputError):
            await ask(north)

        # The officer works on the command line, beside the running node.
        for member, accepts in ((ASKER, AGENCY), (AGENCY, ASKER)):
            officer = await north.open(member)
            await officer.parts.membership.refresh()
            await officer.parts.membership.accept(accepts)
            await officer.close()
        await north.refresh()
        assert await ask(north) == {AGENCY: TEAMS}
        # What one node accepted counts for that node alone, and survives its restart.
        with pytest.raises(InputError):
            await ask(north, OTHER)
        await north.stop(ASKER)
        await north.start(ASKER)
        await north.refresh()
        assert await ask(north) == {AGENCY: TEAMS}


def rotated(north: TestFederation, new: SigningKey, *, by: SigningKey) -> Callable[[Operator], Federation]:
    """AGENCY changes its signing key, with its predecessor's word."""
    now = north.clock.now()
    word = sign_rotation(new.verify_key(), by, member=AGENCY, federation=NAME, now=now)
    return lambda operator: operator.rotate(AGENCY, new.verify_key(), word, now)


def agreement_signed_with(north: TestFederation, new: SigningKey) -> Callable[[Operator], Federation]:
    """AGENCY signs the agreement once more: its word ends with the key that gave it."""
    text = AGREEMENT.read_bytes()
    agreement = read_agreement(text, str(AGREEMENT))
    now = north.clock.now()
    word = sign_agreement(agreement, member=AGENCY, federation=NAME, key=new, now=now)
    return lambda operator: operator.set_agreement(AgreementBytes(text=text, signatures=(word,)), now)


async def use_key(north: TestFederation, new: SigningKey) -> None:
    """AGENCY's node starts again with another signing key."""
    await north.stop(AGENCY)
    file = north.folder / AGENCY / "keys" / "signing.pem"
    file.unlink()
    new.save(file)
    await north.start(AGENCY)


async def accepted_by_all(north: TestFederation) -> None:
    """Every officer accepts every member."""
    for member in north.nodes:
        for other in north.nodes:
            await north.nodes[member].parts.membership.accept(other)
    await north.refresh()


async def test_a_key_that_its_predecessor_signed_passes_by_itself(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY], accept="local") as north:
        for member in (ASKER, AGENCY):
            await north.add(member, *someone(*PERSON))
        await accepted_by_all(north)
        new = SigningKey.generate()
        await north.publish(rotated(north, new, by=north.nodes[AGENCY].parts.me.signing_key))
        await north.refresh()
        assert not view(north, ASKER).waiting
        assert await ask(north) == {AGENCY: TEAMS}  # with the old key, which overlaps
        await use_key(north, new)
        await north.refresh()
        assert await ask(north) == {AGENCY: TEAMS}
        assert await ask(north, AGENCY) == {ASKER: TEAMS}


def with_key(north: TestFederation, key: MemberKey) -> Callable[[Operator], Federation]:
    """An operator that lists one more key for AGENCY, with nobody's word."""

    def sign(operator: Operator) -> Federation:
        held = operator.document
        members = {**held.members, AGENCY: replace(held.members[AGENCY], keys=(*held.members[AGENCY].keys, key))}
        document = sign_document(
            operator=held.operator,
            name=held.name,
            seq=held.seq + 1,
            members=tuple(members.values()),
            agreements=held.agreements,
            hub_keys=tuple(held.hub_keys.values()),
            key=operator.key,
            now=north.clock.now(),
        )
        replace_file(operator.folder / DOCUMENT_FILE, document.token)
        return document

    return sign


async def test_a_key_that_the_operator_alone_lists_is_not_used_for_anything(tmp_path: Path) -> None:
    """Operator and hub together cannot put themselves in a member's place."""
    async with federation(tmp_path, [ASKER, AGENCY], accept="local", lying=True) as north:
        assert north.liar is not None
        await north.add(AGENCY, *someone(*PERSON))
        await accepted_by_all(north)
        honest = view(north, ASKER).sealing_keys[AGENCY].kid
        planted = SigningKey.generate()
        begin = int(north.clock.now())
        key = MemberKey(key=planted.verify_key(), not_before=begin, not_after=begin + 365 * DAY)
        await north.publish(with_key(north, key))
        await north.refresh(ASKER)
        assert [change.kid for change in view(north, ASKER).waiting] == [planted.verify_key().kid]

        # With the planted key somebody publishes a sealing key of their own, and the hub passes it on.
        now = int(north.clock.now())
        stolen = PublicSealingKey(
            key=HybridPrivateKey.generate().public, kid="", not_before=now, expires=now + SEALING_KEY_LIFETIME_S
        )
        stolen = replace(stolen, kid=stolen.key.kid)
        statement = sign_sealing_key(stolen, planted, member=AGENCY, federation=NAME)
        served: list[str] = []

        def instead(reply: dict[str, Any]) -> dict[str, Any]:
            served.append(statement)
            return {"sealing_keys": {**reply["sealing_keys"], AGENCY: statement}}

        north.liar.replies["/v1/sealing-keys"] = instead
        await north.refresh(ASKER)
        assert served
        assert view(north, ASKER).sealing_keys[AGENCY].kid == honest
        # If the officer accepts the key after all, it counts.
        await north.nodes[ASKER].parts.membership.accept(AGENCY)
        await north.refresh(ASKER)
        assert view(north, ASKER).sealing_keys[AGENCY].kid == stolen.kid


async def test_a_revoked_key_is_refused_at_once(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], lying=True) as north:
        assert north.liar is not None
        for member in (AGENCY, OTHER):
            await north.add(member, *someone(*PERSON))
        old, new = north.nodes[AGENCY].parts.me.signing_key, SigningKey.generate()
        await north.publish(rotated(north, new, by=old))
        await north.publish(agreement_signed_with(north, new))
        await north.refresh()
        assert await ask(north) == {AGENCY: TEAMS, OTHER: TEAMS}
        await north.publish(lambda operator: operator.revoke(AGENCY, old.verify_key().kid, north.clock.now()))
        await refresh_once(north, ASKER, OTHER)

        # What it published goes with it, so nothing is sealed to a thief; people see that it was not asked.
        assert AGENCY not in view(north, ASKER).sealing_keys
        completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        by_member = {each.member.id: each for each in completed.results}
        assert (by_member[AGENCY].outcome, by_member[AGENCY].reason) == (NOT_TRIED, "no-sealing-key")
        assert by_member[AGENCY].member.duty_contact == (("phone", "01632 960000"),)
        assert (by_member[OTHER].outcome, completed.coverage_agrees) == (TEAMS, True)
        with pytest.raises(HubError, match="401"):
            await ask(north, AGENCY)

        await use_key(north, new)
        await north.refresh()
        assert await ask(north) == {AGENCY: TEAMS, OTHER: TEAMS}


async def test_sealing_keys_rotate_by_themselves_and_old_halves_are_destroyed(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        await north.add(AGENCY, *someone(*PERSON))
        folder = tmp_path / AGENCY / "keys" / "sealing"
        first = {path.name for path in folder.iterdir()}
        files: set[str] = set(first)
        for _ in range(9):
            north.clock.turn(DAY)
            await north.publish()
            await north.refresh()
            assert await ask(north) == {AGENCY: TEAMS}
            files |= {path.name for path in folder.iterdir()}
            held = view(north, ASKER).sealing_keys[AGENCY]
            assert north.clock.now() < held.expires <= held.not_before + SEALING_KEY_LIFETIME_S
        assert len(files) == 2
        assert not {path.name for path in folder.iterdir()} & first
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())


async def test_a_member_that_starts_a_moment_later_can_be_asked_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "SOON_S", 0.02)
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        await north.stop(AGENCY)
        north.clock.turn(8 * DAY)
        await north.publish()
        await north.refresh(ASKER)
        assert AGENCY not in view(north, ASKER).sealing_keys
        keeping = asyncio.create_task(north.nodes[ASKER].parts.membership.keep_fresh())
        try:
            async with asyncio.timeout(membership.REFRESH_S / 3):
                await asyncio.sleep(0.1)  # it has looked for the first time by now
                await north.start(AGENCY)
                await north.refresh(AGENCY)
                while AGENCY not in view(north, ASKER).sealing_keys:  # noqa: ASYNC110 - nothing else tells
                    await asyncio.sleep(0.01)
        finally:
            keeping.cancel()


async def test_a_node_that_was_off_for_eight_days_makes_a_new_sealing_key_and_answers(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        await north.add(AGENCY, *someone(*PERSON))
        old = view(north, ASKER).sealing_keys[AGENCY].kid
        await north.stop(AGENCY)
        north.clock.turn(8 * DAY)
        await north.publish()
        await north.refresh(ASKER)
        assert AGENCY not in view(north, ASKER).sealing_keys  # ended: nothing is sealed to it any more
        await north.start(AGENCY)
        await north.refresh()
        assert await ask(north) == {AGENCY: TEAMS}
        assert view(north, ASKER).sealing_keys[AGENCY].kid != old


async def test_the_log_names_a_document_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="patchwork")

    async def told(node: Membership) -> list[int]:
        caplog.clear()
        for _ in range(3):
            await node.hear(node.current().federation.seq + 1)
        fields = [vars(each)["event_fields"] for each in caplog.records if each.message == "federation.refreshed"]
        return [each["seq"] for each in fields]

    async with federation(tmp_path, [ASKER]) as north:
        node = north.nodes[ASKER].parts.membership
        seq = node.current().federation.seq
        assert await told(node) == [seq]
        await north.publish()
        assert await told(node) == [seq + 1]
        assert await told(node) == []


async def test_of_two_copies_of_a_node_the_one_that_stays_can_be_asked_again(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        await north.add(AGENCY, *someone(*PERSON))
        folder = tmp_path / AGENCY / "keys" / "sealing"
        await north.stop(AGENCY)
        folder.rename(tmp_path / "first")
        folder.mkdir(mode=0o700)
        north.clock.turn(60)
        await north.start(AGENCY)  # the copy, as from a backup: it makes a key of its own
        await north.refresh()
        await north.stop(AGENCY)
        folder.rename(tmp_path / "copy")
        (tmp_path / "first").rename(folder)
        north.clock.turn(60)
        await north.start(AGENCY)
        with pytest.raises(HubError, match="another copy of this node has published a newer sealing key"):
            await north.refresh()
        north.clock.turn(BETWEEN_COPIES_S)
        await north.refresh()
        await north.refresh()
        assert len(list(folder.iterdir())) == 2  # one more, and no further ones
        assert await ask(north) == {AGENCY: TEAMS}


async def test_a_hub_that_lost_its_sealing_keys_is_given_them_again(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        await north.add(AGENCY, *someone(*PERSON))
        await north.restart_hub(forgetting=True)
        await north.refresh()
        await north.stop(ASKER)
        (tmp_path / ASKER / "data" / "node.db").unlink()  # it comes to know the key from the hub alone
        await north.start(ASKER)
        await north.refresh()
        assert await ask(north) == {AGENCY: TEAMS}


@pytest.mark.parametrize("stale", ["document", "freshness"])
async def test_nothing_is_asked_or_answered_on_a_stale_document_or_statement(tmp_path: Path, stale: str) -> None:
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], lying=True) as north:
        assert north.liar is not None
        for member in (AGENCY, OTHER):
            await north.add(member, *someone(*PERSON))
        north.liar.keeps_questions = True
        north.clock.turn(DOCUMENT_LIFETIME_S - 30 if stale == "document" else 0)
        await north.refresh()
        await ask(north)
        kept = north.liar.stolen(AGENCY)
        north.clock.turn(31 if stale == "document" else 3_601)
        refused = await north.liar.deliver(AGENCY, kept)
        assert (refused.status, refused.code) == (503, "federation-stale")
        with pytest.raises(FederationStale):
            await ask(north)
        assert await north.ledger(AGENCY) == []
        # The operator renews, or the hub speaks again: all goes on.
        north.liar.keeps_questions = False
        await north.publish()
        await north.refresh()
        assert await ask(north) == {AGENCY: TEAMS, OTHER: TEAMS}


async def test_an_asker_with_a_newer_document_makes_others_fetch_it_first(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY, OTHER]) as north:
        for member in (AGENCY, OTHER):
            await north.add(member, *someone(*PERSON))
        await north.publish()
        await refresh_once(north, ASKER)
        assert view(north, AGENCY).federation.seq < view(north, ASKER).federation.seq
        assert await ask(north) == {AGENCY: TEAMS, OTHER: TEAMS}
        assert view(north, AGENCY).federation.seq == view(north, ASKER).federation.seq
