"""Evidence of a question: it holds years and key rotations later, says what it proves, and names what was changed."""

import asyncio
import base64
import hashlib
import stat
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from consent_ledger.entries import AnsweredEntry, Asker
from consent_ledger.merkle import leaf_hash
from consent_ledger.record import entry_key, open_with_key, read_leaf, seal_leaf
from gateway.cli import application
from gateway.database.contract import Statement, Work
from gateway.errors import InputError, MalformedMessage
from gateway.node.check_evidence import check
from gateway.node.evidence_file import MAX_EVIDENCE_BYTES, Evidence, ProvedEntry, read, write
from gateway.node.findings import Finding, Verdict
from gateway.node.findings import proven as all_proven
from gateway.node.ledger_keys import LEDGER_KEY_FILE
from gateway.node.question_evidence import evidence_of
from gateway.node.signing_keys import SIGNING_KEY_FILE
from gateway.wire import base64url, jws
from gateway.wire.archive import read_archived_answer
from gateway.wire.federation import verify_document
from gateway.wire.join import sign_rotation
from gateway.wire.keys import LedgerKey, SigningKey, fingerprint
from gateway.wire.limits import ANSWER_TOKEN_BYTES, MAX_INFLATED_BYTES, MAX_TOKEN_BYTES
from gateway.wire.operator import PUBLIC_KEY_FILE
from gateway.wire.packing import deflate_to_fit, inflate
from tests.federation import NAME, TestFederation, federation, someone

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"
MONTH = 30 * 86_400


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Three members; housing knows one person."""
    async with federation(tmp_path, [ASKER, AGENCY, OTHER]) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        yield running


async def ask(north: TestFederation) -> str:
    """The id of a question about the known person."""
    completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    return completed.jti


async def gathered(north: TestFederation, member: str, jti: str) -> Evidence:
    """A member's evidence, through its file."""
    evidence = await evidence_of(
        jti,
        node=north.nodes[member].parts,
        operator_key=north.operator.key.verify_key(),
        asked_by=None if member == ASKER else ASKER,
    )
    return read(write(evidence))


def checked(north: TestFederation, evidence: Evidence) -> list[Finding]:
    return list(check(evidence, operator_key=north.operator.key.verify_key()))


def false(findings: list[Finding]) -> list[str]:
    return [finding.says for finding in findings if finding.verdict is Verdict.FALSE]


def proven(findings: list[Finding]) -> str:
    return "\n".join(finding.says for finding in findings if finding.verdict is Verdict.PROVEN)


async def rotate(north: TestFederation, member: str) -> None:
    """A member's node goes on with a new signing key, which its old one names."""
    old = north.nodes[member].parts.me.signing_key
    new, now = SigningKey.generate(), north.clock.now()
    word = sign_rotation(new.verify_key(), old, member=member, federation=NAME, now=now)
    await north.publish(lambda operator: operator.rotate(member, new.verify_key(), word, now))
    await north.refresh()
    await north.stop(member)
    file = north.folder / member / "keys" / SIGNING_KEY_FILE
    file.unlink()
    new.save(file)
    await north.start(member)
    await north.refresh()


async def test_evidence_of_both_sides_holds_two_key_rotations_and_forty_months_later(north: TestFederation) -> None:
    first = await ask(north)
    for _ in range(2):
        north.clock.turn(MONTH / 10)
        await north.publish()
        await north.refresh()
        for member in (ASKER, AGENCY):
            await rotate(north, member)
    later = await ask(north)
    north.clock.turn(40 * MONTH)
    for jti in (first, later):
        asked, answered = [await gathered(north, member, jti) for member in (ASKER, AGENCY)]
        for evidence in (asked, answered):
            assert false(checked(north, evidence)) == []
        assert "childrens-services signed the question" in proven(checked(north, asked))
        assert "housing answered childrens-services: a team was shown" in proven(checked(north, asked))
        assert "police answered childrens-services: nothing was disclosed" in proven(checked(north, asked))
        assert "the bundle is exactly what that answer disclosed" in proven(checked(north, answered))
        assert asked.answers[AGENCY] == answered.answers[AGENCY]
    assert verify_document(asked.document, operator_key=north.operator.key.verify_key(), now=None).seq > 5
    keys = {jti: (await gathered(north, AGENCY, jti)).answers[AGENCY].split(".")[0] for jti in (first, later)}
    assert keys[first] != keys[later]


async def test_the_two_sides_of_one_question_fit_together(north: TestFederation) -> None:
    jti = await ask(north)
    asked, answered = [await gathered(north, member, jti) for member in (ASKER, AGENCY)]
    document = verify_document(asked.document, operator_key=north.operator.key.verify_key(), now=None)
    answer = read_archived_answer(asked.answers[AGENCY], document)
    assert answer.ledger_leaf == leaf_hash(answered.entries[0].leaf).hex()
    assert answered.bundle is not None
    assert b"Robin" in inflate(answered.bundle)
    assert answered.question is None
    assert asked.bundle is None
    opened = [finding.says for finding in checked(north, asked) if finding.verdict is Verdict.OPEN]
    assert any(answer.ledger_leaf in says for says in opened)


async def test_of_a_refusal_nothing_is_kept_but_its_entry(north: TestFederation) -> None:
    jti = await ask(north)
    refused = await gathered(north, OTHER, jti)
    assert (refused.answers, refused.bundle) == ({}, None)
    findings = checked(north, refused)
    assert false(findings) == []
    assert "what was answered: no signed answer is in the file" in [finding.says for finding in findings]
    kept = await north.nodes[OTHER].ledger_database.read(_count_kept())
    assert kept == 0


async def test_what_was_disclosed_about_an_erased_person_is_gone(north: TestFederation) -> None:
    jti = await ask(north)
    (before,) = (await gathered(north, AGENCY, jti)).entries
    ledger = north.nodes[AGENCY].parts.ledger
    await ledger.erase(1)
    with pytest.raises(InputError, match="nothing about this question is on record here, or what is has been erased"):
        await gathered(north, AGENCY, jti)  # the same words as for a question that was never asked
    found = await ledger.entry(before.seq)
    assert found is not None
    assert (found[0].body, found[0].leaf_hash) == (None, leaf_hash(before.leaf).hex())
    assert false(checked(north, await gathered(north, ASKER, jti))) == []
    assert (await ledger.verify()).size > 0


async def test_a_signed_checkpoint_over_the_entries_is_part_of_it(north: TestFederation) -> None:
    jti = await ask(north)
    bare = await gathered(north, ASKER, jti)
    assert bare.checkpoint is None
    note = sign_note(north, ASKER, bare)
    await north.nodes[ASKER].ledger_database.write(_store_checkpoint(bare, note))
    await ask(north)
    evidence = await gathered(north, ASKER, jti)
    assert evidence.checkpoint == note
    assert evidence.tree_size == bare.tree_size < (await north.nodes[ASKER].parts.ledger.head()).size
    assert f"signed a checkpoint of this tree of {bare.tree_size} entries" in proven(checked(north, evidence))
    forged = replace(evidence, checkpoint=sign_note(north, ASKER, bare, stranger=True))
    assert [says.rpartition("checkpoint: ")[2] for says in false(checked(north, forged))] == [
        "the log's own key has not signed it"
    ]
    moved = replace(evidence, checkpoint=note.replace(f"\n{bare.tree_size}\n", "\n4\n"))
    assert "the log's own key has not signed it" in false(checked(north, moved))[0]
    larger = replace(evidence, checkpoint=sign_note(north, ASKER, replace(bare, tree_size=bare.tree_size + 1)))
    assert "it names another size or root" in false(checked(north, larger))[0]


async def test_each_thing_that_was_changed_is_named(north: TestFederation) -> None:
    jti, other = await ask(north), await ask(north)
    mine, others = [await gathered(north, ASKER, each) for each in (jti, other)]
    sent = await gathered(north, AGENCY, jti)
    asked, received = mine.entries
    stranger = replace(north.operator, key=SigningKey.generate()).renew(north.clock.now()).token.decode()
    wrong = {
        "the federation document is the operator's: signed with a key": replace(mine, document=stranger),
        "the question is its asker's: the signature": replace(mine, question=flipped(mine.question)),
        "jti or member": replace(mine, question=others.question),
        f"one of {AGENCY} to this question: the signature": replace(
            mine, answers={**mine.answers, AGENCY: flipped(mine.answers[AGENCY])}
        ),
        "in_reply_to": replace(mine, answers=others.answers),
        "answers: the entry and the signed message differ": replace(mine, answers={OTHER: mine.answers[OTHER]}),
        "bundle_sha256: another bundle": replace(sent, bundle=_stored(b'{"resourceType":"Bundle"}')),
        "the bundle is not raw DEFLATE": replace(sent, bundle=b"\xff"),
        "no answer in the file discloses one": replace(mine, bundle=sent.bundle),
        "proof: the proof does not lead": replace(mine, entries=(replace(asked, seq=asked.seq + 2), received)),
        "proof: the proof is too long": replace(
            mine, entries=(replace(asked, proof=(*asked.proof, *asked.proof, *asked.proof)), received)
        ),
        "an entry's ciphertext or header was changed": replace(mine, entries=(replace(asked, key=bytes(32)), received)),
        "leaf: an entry about another question": replace(
            mine, entries=others.entries, tree_size=others.tree_size, tree_root=others.tree_root
        ),
        "proof: no such leaf in a tree of this size": replace(mine, tree_size=1),
        "ledger_leaf: the entry and the signed message differ": rewritten(sent),
        "query: the entry and the signed message differ": replace(mine, question=None),
        "an entry is not written in the one form": rewritten(sent, more=b" " * 256),
        "an entry does not say anything in our form": rewritten(sent, text=b"[]"),
        "an entry does not have the form of a leaf": replace(mine, entries=(replace(asked, leaf=b"leaf"), received)),
        "federation: the document is another federation's": replace(mine, federation="southshire"),
    }
    for says, evidence in wrong.items():
        found = false(checked(north, read(write(evidence))))
        assert any(says in each for each in found), (says, found)


async def test_what_a_member_signs_afterwards_is_not_the_question_or_answer_of_then(north: TestFederation) -> None:
    mine = await gathered(north, ASKER, await ask(north))
    agency, asker = (north.nodes[member].parts.me.signing_key for member in (AGENCY, ASKER))
    assert mine.question is not None
    said = jws.peek(mine.answers[AGENCY], max_bytes=ANSWER_TOKEN_BYTES)
    asked = jws.peek(mine.question, max_bytes=MAX_TOKEN_BYTES)
    later = said["iat"] + 400 * 86_400  # when the key is over
    for says, key, changed in (
        ("unknown, revoked or not in force", SigningKey.generate(), {}),
        ("unknown, revoked or not in force", asker, {}),
        ("unknown, revoked or not in force", agency, {"iat": later, "exp": later + 120}),
        ("fed: made under another", agency, {"fed": said["fed"] | {"sha256": "0" * 64}}),
        ("in_reply_to", agency, {"in_reply_to": "11111111-2222-4333-8444-555555555555"}),
        ("query_sha256: an answer to other bytes", agency, {"query_sha256": "0" * 64}),
        ("iss or aud", agency, {"aud": OTHER}),
        ("iat: an answer from before or long after", agency, {"iat": said["iat"] + 600, "exp": said["exp"] + 600}),
        ("iat: the federation document was not in force", agency, {"iat": 1_791_000_000, "exp": 1_791_000_060}),
        ("answers: the entry and the signed message differ", agency, {"display_until": said["display_until"] - 1}),
    ):
        token = jws.sign(said | changed, typ="patchwork-answer+jwt", key=key)
        found = false(checked(north, replace(mine, answers={**mine.answers, AGENCY: token})))
        assert any(says in each for each in found), (says, found)
    for says, key, changed in (
        ("unknown, revoked or not in force", agency, {}),
        ("fed: made under another", asker, {"fed": asked["fed"] | {"seq": 99}}),
        ("jti or member", asker, {"jti": "11111111-2222-4333-8444-555555555555"}),
        ("query: the entry and the signed message differ", asker, {"purpose": "THREAT"}),
    ):
        token = jws.sign(asked | changed, typ="patchwork-query+jwt", key=key)
        found = false(checked(north, replace(mine, question=token)))
        assert any(says in each for each in found), (says, found)


async def test_a_question_that_nobody_asked_has_no_evidence(north: TestFederation) -> None:
    with pytest.raises(InputError, match="--asked-by MEMBER"):
        await gathered(north, ASKER, "11111111-2222-4333-8444-555555555555")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (b"{" * 100_000, "not JSON"),
        (b'{"format":"patchwork-evidence/2"}', "format"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested deeper"),
        (b" " * (MAX_EVIDENCE_BYTES + 1), "at most"),
    ],
)
def test_a_file_that_is_no_evidence_is_refused_before_anything_is_computed(fault: bytes, says: str) -> None:
    with pytest.raises(MalformedMessage, match=says):
        read(fault)


async def test_a_leaf_and_tree_that_anybody_can_make_prove_nothing(north: TestFederation) -> None:
    sent = await gathered(north, AGENCY, await ask(north))
    assert f"entry {sent.entries[0].seq} of the ledger of housing records the question" in proven(checked(north, sent))
    forged = checked(north, replace(rewritten(sent), answers={}, bundle=None))
    opened = [finding.says for finding in forged if finding.verdict is Verdict.OPEN]
    assert any("nothing that housing signed shows this entry" in says for says in opened)
    assert proven(forged).count("\n") == 0  # whose federation document it is, and no more
    assert not all_proven(forged)
    assert all_proven(checked(north, sent))


async def test_an_entry_is_told_with_its_asker_outcome_and_question_as_two_may_ask_under_one_id(
    north: TestFederation,
) -> None:
    jti = await ask(north)
    mine, refused = await gathered(north, ASKER, jti), await gathered(north, OTHER, jti)
    says = "\n".join(finding.says for finding in checked(north, refused))
    digest = hashlib.sha256(str(mine.question).encode()).hexdigest()
    assert f"{ASKER} asked, nothing was disclosed, the question's hash is {digest}" in says
    assert f"compare its asker and hash with the question that {ASKER} has" in says


async def test_a_file_with_too_much_or_too_little_in_it_is_refused(north: TestFederation) -> None:
    evidence = await gathered(north, ASKER, await ask(north))
    content = orjson.loads(write(evidence))
    entry = content["entries"][0]
    answer = content["answers"][AGENCY]
    for field, value, says in (
        ("more", 1, "version 1 does not know"),
        ("entries", [entry] * 3, "entries"),
        ("entries", [], "entries"),
        ("entries", [entry | {"proof": ["00" * 32] * 64}], "proof"),
        ("entries", [entry | {"proof": ["00"]}], "proof"),
        ("entries", [entry | {"key": "AAAA"}], "key"),
        ("answers", {f"m{number}": answer for number in range(1025)}, "answers"),
        ("answers", {AGENCY: "a" * 1665}, "answers"),
        ("answers", {"\u001b[2J": answer}, "answers"),
        ("question", "a" * 80_000, "question"),
        ("bundle", "A" * 20_000, "bundle"),
        ("checkpoint", "A" * 100_000, "checkpoint"),
        ("tree", {"size": 0, "root": "00" * 32}, "size"),
        ("operator_key", {}, "missing"),
    ):
        with pytest.raises(MalformedMessage, match=says):
            read(orjson.dumps(content | {field: value}))
    with pytest.raises(MalformedMessage, match="missing"):
        read(orjson.dumps({name: value for name, value in content.items() if name != "tree"}))


async def test_a_bundle_that_inflates_without_end_is_not_inflated(north: TestFederation) -> None:
    evidence = await gathered(north, AGENCY, await ask(north))
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = deflater.compress(bytes(MAX_INFLATED_BYTES + 1)) + deflater.flush()
    (says,) = false(checked(north, replace(evidence, bundle=bomb)))
    assert "the bundle is larger than" in says


async def test_the_file_is_written_for_its_owner_alone_and_checked_without_a_node(
    north: TestFederation, tmp_path: Path
) -> None:
    file, key = tmp_path / "evidence.json", str(north.operator.folder / PUBLIC_KEY_FILE)
    jti = await ask(north)
    evidence = await gathered(north, AGENCY, jti)
    written = await asyncio.to_thread(
        run, "evidence", jti, "--asked-by", ASKER, "--out", str(file), "-c", str(north.folder / AGENCY / "node.toml")
    )
    assert written == (0, f"{file}: what housing has on record about this question. It names people: keep it safe.\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, said = await asyncio.to_thread(run, "check-evidence", str(file), "--operator-key", key)
    assert code == 0
    assert "proven: housing answered childrens-services: a team was shown" in said
    assert "in force, at 2026-09-21 14:13:20 UTC" in said
    assert "not proven: what was asked: only the member that asked keeps the question" in said
    code, said = await asyncio.to_thread(run, "check-evidence", str(file))
    assert code == 0
    assert "name the operator's by --operator-key" in said
    assert f"fingerprint {fingerprint(north.operator.key.public_jwk())}" in said
    file.write_bytes(write(replace(evidence, tree_root=bytes(32))))
    code, said = await asyncio.to_thread(run, "check-evidence", str(file), "--operator-key", key)
    assert code == 1
    assert "FALSE: entry 1 of the ledger of housing is in the tree: proof" in said


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and output of `patchwork ledger ...`."""
    ran = CliRunner().invoke(application(), ["ledger", *arguments])
    return ran.exit_code, ran.stdout


def flipped(token: str | None) -> str:
    """A token whose signature is another's."""
    assert token is not None
    head, _, signature = token.rpartition(".")
    return f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def rewritten(evidence: Evidence, *, more: bytes = b"", text: bytes | None = None) -> Evidence:
    """The first entry's body as it is, or `text`, in a new leaf and a tree of its own: as if a ledger began anew."""
    secret = bytes(32)
    old = read_leaf(evidence.entries[0].leaf)
    said = orjson.dumps(open_with_key(evidence.entries[0].leaf, evidence.entries[0].key), option=orjson.OPT_SORT_KEYS)
    said = said if text is None else text
    leaf = seal_leaf(old.header, said.ljust(-(-len(said) // 256) * 256) + more, secret)
    entry = ProvedEntry(seq=0, leaf=leaf, key=entry_key(read_leaf(leaf), secret), proof=())
    return replace(evidence, entries=(entry,), tree_size=1, tree_root=leaf_hash(leaf))


def sign_note(north: TestFederation, member: str, over: Evidence, *, stranger: bool = False) -> str:
    """A C2SP checkpoint of the tree of some evidence, with the member's ledger key or a stranger's."""
    key = LedgerKey.generate() if stranger else LedgerKey.load(north.folder / member / "keys" / LEDGER_KEY_FILE)
    origin = f"patchwork/{NAME}/{member}"
    text = f"{origin}\n{over.tree_size}\n{base64.b64encode(over.tree_root).decode()}\nepoch 1\n"
    public = base64url.decode_text(key.public_jwk()["x"])
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
    return f"{text}\n\u2014 {origin} {base64.b64encode(key_id + key.sign(text.encode())).decode()}\n"


def _store_checkpoint(over: Evidence, note: str) -> Work[None]:
    yield Statement(
        "INSERT INTO checkpoint (epoch, size, root, note, signed_at) VALUES (1, ?, ?, ?, 0)",
        (over.tree_size, over.tree_root, note),
    )


def _count_kept() -> Work[int]:
    ((count,),) = yield Statement("SELECT count(*) FROM kept_answer")
    return int(count)


def _stored(bundle: bytes) -> bytes:
    deflated = deflate_to_fit(bundle)
    assert deflated is not None
    return deflated


async def test_whom_we_asked_cannot_hide_our_question_by_asking_under_its_id(north: TestFederation) -> None:
    jti = await ask(north)
    ledger = north.nodes[ASKER].parts.ledger
    asker = Asker(member=AGENCY, practitioner="p", name="Alex Asker", role="r", organisation="o")
    await ledger.log_answer(
        AnsweredEntry(
            issuer=AGENCY,
            jti=jti,
            expires_at=int(north.clock.now()) + 60,
            query_sha256="c" * 64,
            asker=asker,
            purpose="COC",
            outcome="nothing-to-disclose",
        )
    )
    evidence = await gathered(north, ASKER, jti)
    assert evidence.question is not None
    assert AGENCY in evidence.answers
