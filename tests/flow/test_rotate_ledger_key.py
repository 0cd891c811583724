"""A ledger goes on under its next key: the same tree, and what its witnesses hold and vouched for stays what it was."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from consent_ledger import heads
from consent_ledger.checkpoint import Checkpoint, Head, sign, with_cosignatures
from consent_ledger.note import NoteKey
from gateway.cli.rotate_ledger_key import ledger_rotation_request
from gateway.errors import NotAuthentic
from gateway.node.check_evidence import check
from gateway.node.findings import Verdict
from gateway.node.inclusion import check_proof, prove
from gateway.node.question_evidence import evidence_of
from gateway.node.vouching import vouched_by
from gateway.wire.federation import HUB, sign_document
from gateway.wire.keys import LedgerKey, ledger_public
from gateway.wire.ledger_keys import FormerLedgerKey, sign_word
from gateway.wire.operator import ROTATION_OVERLAP_S
from gateway.wire.rotating_keys import SETTLED_S
from tests.federation import NAME, TestFederation
from tests.flow.witnessed_agency import AGENCY, ASKER, OTHER, again, ask, witnessed_agency


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    async with witnessed_agency(tmp_path) as running:
        yield running


async def visit(north: TestFederation, member: str = AGENCY) -> set[str]:
    """What the witnesses of a node say to its newest head."""
    return {word.said.value for word in (await north.nodes[member].checkpoints.visit()).words}


async def rotate(north: TestFederation, member: str) -> tuple[LedgerKey, LedgerKey]:
    """The old key and the next, which the operator lists on the old one's word; nobody signs with it yet."""
    me, now = north.nodes[member].parts.me, north.clock.now()
    old, new = me.ledger_key, me.ledger_keys.begin()
    listed = north.operator.document.members[member]
    token = ledger_rotation_request(listed, new, old, signing=me.signing_key, federation=NAME, now=now)
    await north.publish(lambda operator: operator.update(token, now))
    await north.refresh()
    assert me.ledger_key.kid == old.kid  # those who have the older document would not believe the new one
    return old, new


async def newest(north: TestFederation) -> Checkpoint:
    stored = await north.nodes[AGENCY].ledger_database.read(heads.newest())
    assert stored is not None
    return stored.checkpoint


async def settle(north: TestFederation) -> None:
    north.clock.turn(SETTLED_S + 1)
    await north.refresh()


async def vouching(north: TestFederation, jti: str) -> list[str]:
    """Who is proven to vouch for the ledger in the agency's evidence; nothing may be false."""
    key = north.operator.key.verify_key()
    found = list(
        check(
            await evidence_of(jti, node=north.nodes[AGENCY].parts, operator_key=key, asked_by=ASKER), operator_key=key
        )
    )
    assert not [finding.says for finding in found if finding.verdict is Verdict.FALSE]
    return sorted(finding.says.split()[0] for finding in found if " vouches for this tree" in finding.says)


async def test_the_ledger_goes_on_under_its_next_key_and_old_checkpoints_hold(north: TestFederation) -> None:
    first = await ask(north)
    assert await visit(north) == {"cosigned"}
    epoch_one = await newest(north)
    size = epoch_one.head.size
    (kept,) = await north.nodes[AGENCY].ledger_database.read(heads.page((1, size - 1), 1))
    old_note = with_cosignatures(kept.note, kept.cosignatures)
    old, new = await rotate(north, AGENCY)
    await ask(north)
    assert await visit(north) == {"cosigned"}  # still by the old key, with everybody's document new
    await settle(north)
    me = north.nodes[AGENCY].parts.me
    assert me.ledger_key.kid == new.kid
    second = await ask(north)
    assert await visit(north) == {"cosigned"}
    checkpoint = await newest(north)
    assert checkpoint.head.epoch == epoch_one.head.epoch == 1
    assert checkpoint.head.size > epoch_one.head.size

    # The witness, too, may rotate: its cosignature is known under either.
    await rotate(north, OTHER)
    await settle(north)
    await ask(north)
    assert await visit(north) == {"cosigned"}

    await again(north, AGENCY)
    assert not north.nodes[AGENCY].parts.standing.doubt
    assert await visit(north) == {"cosigned"}
    north.clock.turn(ROTATION_OVERLAP_S)
    await north.publish()
    await north.refresh()
    files = sorted(path.name for path in (north.folder / AGENCY / "keys").glob("ledger*"))
    assert files == [f"ledger-{old.kid}.jwk", "ledger.pem"]
    assert LedgerKey.load(north.folder / AGENCY / "keys" / "ledger.pem").kid == new.kid
    await again(north, AGENCY)  # the first start after: witnesses may still hold what the old key signed
    assert not north.nodes[AGENCY].parts.standing.doubt
    assert await visit(north) == {"cosigned"}
    assert await vouching(north, first) == ["hub", OTHER]
    assert await vouching(north, second) == ["hub", OTHER]
    # `patchwork ledger verify`: a checkpoint that the old key signed, kept by somebody, is this ledger's own.
    node = north.nodes[AGENCY]
    logs, received = node.checkpoints.witnesses.logs, node.parts.membership.received
    found = await vouched_by([old_note], node.ledger_database, logs=logs, federation=received)
    assert {voucher.checkpoint.head.size for voucher in found.by.values()} == {epoch_one.head.size}
    assert sorted(name.rpartition("/")[2] for name in found.by) == ["hub", OTHER]
    # The newest document alone leads to the old checkpoints, too.
    file = await prove(
        0,
        database=north.nodes[AGENCY].ledger_database,
        member=AGENCY,
        federation=north.operator.document,
    )
    assert file is not None
    proven = check_proof(file, operator_key=north.operator.key.verify_key())
    assert proven.head == epoch_one.head
    assert len(proven.vouched) == 2


async def test_what_a_witness_holds_under_the_old_key_counts_after_the_new_one_has_taken_its_place(
    north: TestFederation,
) -> None:
    await ask(north)
    await visit(north)  # the last head that witnesses see before the agency is down for weeks
    await rotate(north, AGENCY)
    await north.stop(AGENCY)
    north.clock.turn(ROTATION_OVERLAP_S + 1)
    await north.publish()
    await north.start(AGENCY)
    await north.refresh()
    node = north.nodes[AGENCY]
    answers = await node.checkpoints.witnesses.ask()
    assert [answer.seen is not None for answer in answers] == [True, True]
    # ... and counts against a node whose entries are gone.
    await north.stop(AGENCY)
    (north.folder / AGENCY / "data" / "ledger.db").unlink()
    (north.folder / AGENCY / "data" / "keys.db").unlink()
    await north.start(AGENCY)
    await north.nodes[AGENCY].checkpoints.begin()
    assert "fewer than what the hub holds" in north.nodes[AGENCY].parts.standing.doubt


async def test_a_fork_is_no_rotation_whichever_key_signs_it(north: TestFederation) -> None:
    await ask(north)
    await visit(north)
    old, new = await rotate(north, AGENCY)
    await settle(north)
    node = north.nodes[AGENCY]
    held = await newest(north)
    for key in (old, new):
        log = NoteKey(name=held.origin, public=ledger_public(key.public_jwk()))
        other = replace(held.head, root=b"\x01" * 32)
        for head in (other, replace(other, size=other.size + 8), Head(epoch=1, size=1, root=b"\x02" * 32)):
            note = sign(Checkpoint(origin=held.origin, head=head), log, key)
            for witness in (HUB, OTHER):
                verdict = await node.checkpoints.witnesses.submit(witness, note, [])
                assert verdict.cosignature is None, (witness, head)
    assert await visit(north) == {"cosigned"}  # the true ledger goes on

    # Once the old key has ended, even the true ledger is not taken from it.
    north.clock.turn(ROTATION_OVERLAP_S)
    await north.publish()
    await north.refresh()
    await visit(north)
    held = await newest(north)
    late = sign(held, NoteKey(name=held.origin, public=ledger_public(old.public_jwk())), old)
    for witness in (HUB, OTHER):
        assert (await node.checkpoints.witnesses.submit(witness, late, [])).cosignature is None


async def test_a_key_that_the_old_one_has_not_named_is_no_rotation(north: TestFederation) -> None:
    me, now = north.nodes[AGENCY].parts.me, north.clock.now()
    listed = north.operator.document.members[AGENCY]
    thief, stranger = LedgerKey.generate(), LedgerKey.generate()
    word = sign_word(thief.public_jwk(), stranger, member=AGENCY, federation=NAME)

    def request(former: FormerLedgerKey | None) -> str:
        return ledger_rotation_request(
            replace(listed, ledger_key=stranger.public_jwk()) if former is None else listed,
            thief,
            stranger if former is None else me.ledger_key,
            signing=me.signing_key,
            federation=NAME,
            now=now,
        )

    # Named by another key: the operator is told that it is new, and it follows nothing.
    asked = north.operator.read_update(request(None), now).member
    assert (asked.ledger_key["kid"], asked.ledger_before) == (thief.kid, ())
    # In the old key's name, but not by it; of another member; of another federation: no document has it.
    for member, federation_name, signer in (
        (AGENCY, NAME, stranger),
        (OTHER, NAME, me.ledger_key),
        (AGENCY, "elsewhere", me.ledger_key),
    ):
        word = sign_word(thief.public_jwk(), signer, member=member, federation=federation_name)
        former = FormerLedgerKey(jwk=listed.ledger_key, until=int(now) + 60, word=word)
        forged = replace(listed, ledger_key=thief.public_jwk(), ledger_before=(former,))
        with pytest.raises(NotAuthentic, match="has not named the one"):
            sign_document(
                operator="north",
                name=NAME,
                seq=99,
                members=(forged,),
                agreements=(),
                hub_keys=tuple(north.operator.document.hub_keys.values()),
                key=north.operator.key,
                now=now,
            )
    # A request without a rotation changes nothing of the ledger's keys.
    good = north.operator.read_update(request(FormerLedgerKey(jwk={}, until=0, word=b"")), now).member
    assert [former.jwk["kid"] for former in good.ledger_before] == [me.ledger_key.kid]
