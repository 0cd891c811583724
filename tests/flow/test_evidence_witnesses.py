"""Witnesses in evidence: who vouches is named, years and keys later; a checkpoint that was tampered with is no tree."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from consent_ledger import heads
from consent_ledger.checkpoint import cosign, own_part
from consent_ledger.errors import LedgerCorrupt
from consent_ledger.note import NoteKey
from gateway.database.contract import Statement, Work
from gateway.node.check_evidence import check
from gateway.node.evidence_file import Evidence, read, write
from gateway.node.findings import Finding, Verdict
from gateway.node.ledger_keys import LEDGER_KEY_FILE
from gateway.node.question_evidence import evidence_of
from gateway.node.signing_keys import SIGNING_KEY_FILE
from gateway.wire.join import sign_join, sign_rotation
from gateway.wire.keys import LedgerKey, SigningKey, ledger_public
from tests.federation import NAME, TestFederation
from tests.flow.witnessed_agency import AGENCY, ASKER, OTHER, again, ask, witnessed_agency

DAY = 86_400
UNHASH = "DROP TRIGGER entry_is_never_changed; UPDATE entry SET leaf_hash = zeroblob(32) WHERE seq = "


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    async with witnessed_agency(tmp_path) as running:
        yield running


async def visit(north: TestFederation) -> None:
    await north.nodes[AGENCY].checkpoints.visit()


async def gathered(north: TestFederation, jti: str) -> Evidence:
    """The agency's evidence of its answer, through its file."""
    key = north.operator.key.verify_key()
    return read(write(await evidence_of(jti, node=north.nodes[AGENCY].parts, operator_key=key, asked_by=ASKER)))


def checked(north: TestFederation, evidence: Evidence, verdict: Verdict) -> list[str]:
    """What the file says with this verdict, read again from its bytes."""
    found: list[Finding] = list(check(read(write(evidence)), operator_key=north.operator.key.verify_key()))
    return [finding.says for finding in found if finding.verdict is verdict]


def vouching(north: TestFederation, evidence: Evidence) -> list[str]:
    """Who vouches; nothing may be false."""
    assert checked(north, evidence, Verdict.FALSE) == []
    return [says.split()[0] for says in checked(north, evidence, Verdict.PROVEN) if " vouches for this tree" in says]


async def change_ledger_key(north: TestFederation, member: str) -> None:
    """A member has lost its ledger key; the operator lists a new one."""
    new, node = LedgerKey.generate(), north.nodes[member]
    listed = north.operator.document.members[member]
    key = replace(listed.keys[-1], rotation=None)
    asked = replace(listed, ledger_key=new.public_jwk(), keys=(key,))
    request = sign_join(asked, node.parts.me.signing_key, federation=NAME, now=north.clock.now())
    await north.publish(lambda operator: operator.update(request, north.clock.now()))
    file = north.folder / member / "keys" / LEDGER_KEY_FILE
    file.unlink()
    new.save(file)
    await again(north, member)


async def rotate(north: TestFederation, member: str) -> None:
    """A member goes on with a new signing key, which its old one names."""
    old, new, now = north.nodes[member].parts.me.signing_key, SigningKey.generate(), north.clock.now()
    word = sign_rotation(new.verify_key(), old, member=member, federation=NAME, now=now)
    await north.publish(lambda operator: operator.rotate(member, new.verify_key(), word, now))
    await north.refresh()
    file = north.folder / member / "keys" / SIGNING_KEY_FILE
    file.unlink()
    new.save(file)
    await again(north, member)


async def test_hub_and_member_vouch_for_what_they_cosigned(north: TestFederation) -> None:
    jti = await ask(north)
    await visit(north)
    evidence = await gathered(north, jti)
    assert sorted(vouching(north, evidence)) == ["hub", OTHER]
    assert evidence.checkpoint_document is None  # the document of the question has these keys


async def test_a_cosigned_checkpoint_is_taken_before_an_earlier_one_that_nobody_cosigned(north: TestFederation) -> None:
    jti = await ask(north)
    await visit(north)
    await north.nodes[AGENCY].ledger_database.write(_run("DELETE FROM cosignature"))
    alone = await gathered(north, jti)
    assert vouching(north, alone) == []
    assert any("no witness vouches for this tree" in says for says in checked(north, alone, Verdict.OPEN))
    await ask(north)
    await visit(north)
    evidence = await gathered(north, jti)
    assert evidence.tree_size > alone.tree_size
    assert sorted(vouching(north, evidence)) == ["hub", OTHER]


async def test_where_nobody_has_cosigned_yet_the_head_is_cosigned_for_the_evidence(north: TestFederation) -> None:
    jti = await ask(north)
    node = north.nodes[AGENCY]
    evidence = await evidence_of(
        jti,
        node=node.parts,
        operator_key=north.operator.key.verify_key(),
        asked_by=ASKER,
        sign=node.checkpoints.visit,
    )
    assert sorted(vouching(north, evidence)) == ["hub", OTHER]
    signed = await node.ledger_database.read(heads.newest())
    assert signed is not None
    assert evidence.tree_size == signed.checkpoint.head.size  # a size that witnesses see anyhow


async def test_witnesses_vouch_after_two_rotations_and_after_ledger_keys_were_replaced(north: TestFederation) -> None:
    first = await ask(north)
    for _ in range(2):
        for member in (AGENCY, OTHER):
            north.clock.turn(DAY / 4)
            await rotate(north, member)
    # The checkpoint is signed under a later document, in which the other witness has a new ledger key.
    await change_ledger_key(north, OTHER)
    await visit(north)
    evidence = await gathered(north, first)
    assert sorted(vouching(north, evidence)) == ["hub", OTHER]
    assert evidence.checkpoint_document is not None
    under_the_old_keys = replace(evidence, checkpoint_document=None)
    assert vouching(north, under_the_old_keys) == ["hub"]
    assert any("1 more, by keys to which" in says for says in checked(north, under_the_old_keys, Verdict.OPEN))
    # Later both have new ones: what was signed with the old ones still holds, by the document of that time.
    for member in (OTHER, AGENCY):
        north.clock.turn(DAY / 4)
        await change_ledger_key(north, member)
    assert sorted(vouching(north, await gathered(north, first))) == ["hub", OTHER]


async def test_a_checkpoint_of_a_new_ledger_key_is_checked_with_it(north: TestFederation) -> None:
    jti = await ask(north)
    await visit(north)
    north.clock.turn(DAY)
    await north.publish()
    await change_ledger_key(north, AGENCY)
    node = north.nodes[AGENCY]
    (foreign, *_) = [each.foreign for each in await node.checkpoints.witnesses.ask() if each.foreign is not None]
    await node.checkpoints.open_epoch(foreign.head)  # what `patchwork ledger restore` does
    evidence = await gathered(north, jti)
    assert "epoch 2" in str(evidence.checkpoint)
    lost = f"this ledger lost or replaced entries: it followed a head of {foreign.head.size} entries"
    assert any(says.startswith(lost) for says in checked(north, evidence, Verdict.OPEN))
    said = " ".join(checked(north, evidence, Verdict.PROVEN))
    assert "all that it had seen of epoch 2, and named the head before, without its entries" in said
    assert "all that it had seen before" not in said
    assert sorted(vouching(north, evidence)) == ["hub", OTHER]


async def test_a_file_with_changed_cosignatures_says_so_or_proves_less(north: TestFederation) -> None:
    jti = await ask(north)
    await visit(north)
    evidence = await gathered(north, jti)
    note = str(evidence.checkpoint)
    log = north.nodes[AGENCY].checkpoints.witnesses.log
    alone = own_part(note, log)
    lines = {line.split()[1].rpartition("/")[2]: line for line in note.splitlines(keepends=True) if "—" in line}

    missing = replace(evidence, checkpoint=alone + lines["hub"])
    assert vouching(north, missing) == ["hub"]
    assert vouching(north, replace(evidence, checkpoint=alone)) == []
    assert vouching(north, replace(evidence, witness_keys=())) == [OTHER]

    flipped = lines[OTHER][:-10] + ("A" if lines[OTHER][-10] != "A" else "B") + lines[OTHER][-9:]
    forged = replace(evidence, checkpoint=alone + lines["hub"] + flipped)
    assert checked(north, forged, Verdict.FALSE) == [
        f"{OTHER} vouches for this tree: checkpoint: its cosignature does not hold"
    ]
    # In a witness's name with a key of one's own: nobody vouches, and the key is nobody's.
    mine = LedgerKey.generate()
    stranger = NoteKey(name=f"patchwork/{NAME}/{OTHER}", public=ledger_public(mine.public_jwk()))
    own_key = replace(evidence, checkpoint=alone + cosign(note, stranger, mine, north.clock.now()))
    assert vouching(north, own_key) == []
    # With a federation document of one's own, in which that key is the witness's.
    document = replace(north.operator, key=SigningKey.generate()).renew(north.clock.now()).token.decode()
    (says,) = checked(north, replace(evidence, checkpoint_document=document), Verdict.FALSE)
    assert "the federation document of the checkpoint is the operator's" in says


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE checkpoint SET root = zeroblob(32)", "is not the one that its note signs"),
        ("UPDATE checkpoint SET note = replace(note, 'epoch 1', 'epoch 2')", "a stored checkpoint cannot be read"),
        ("UPDATE tree_node SET hash = zeroblob(32)", "does not fit them"),
        (UNHASH + "0", "entry 1 is not in the tree"),
        (UNHASH + "1", "entry 1 is not in the tree"),
    ],
)
async def test_a_ledger_that_does_not_fit_its_checkpoint_gives_no_evidence(
    north: TestFederation, statement: str, says: str
) -> None:
    jti = await ask(north)
    await ask(north)
    await visit(north)
    await north.nodes[AGENCY].ledger_database.write(_run(statement))
    with pytest.raises(LedgerCorrupt, match=says):
        await gathered(north, jti)


async def test_a_checkpoint_that_somebody_else_signed_gives_no_evidence(north: TestFederation) -> None:
    jti = await ask(north)
    await visit(north)
    database = north.nodes[AGENCY].ledger_database
    stored = await database.read(heads.newest())
    assert stored is not None
    signature = stored.note.rpartition(" ")[2]
    await database.write(_run("UPDATE checkpoint SET note = ?", stored.note.replace(signature, signature[::-1])))
    with pytest.raises(LedgerCorrupt):
        await gathered(north, jti)


def _run(statements: str, *params: str) -> Work[None]:
    for sql in statements.split(";"):
        yield Statement(sql, params)
