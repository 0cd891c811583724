"""Signed notes, checkpoints and cosignatures: published ones verify, ours keep their bytes, hostile ones fail."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from consent_ledger import checkpoint, note
from consent_ledger.checkpoint import Checkpoint, Head
from consent_ledger.merkle import EMPTY_ROOT
from consent_ledger.note import COSIGNATURE, ED25519, NoteInvalid, NoteKey

# The example of golang.org/x/mod/sumdb/note.
PETER = NoteKey(name="PeterNeumann", public=base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:])
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PETERS_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETERS_NOTE = PETERS_TEXT + (
    "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
VECTORS = Path(__file__).parents[2] / "vectors" / "ledger"
# The example of c2sp.org/tlog-cosignature, whose keys are not published.
WITNESSED = (VECTORS / "tlog_cosignature_example.note").read_text("utf-8")


def party(name: str, seed: int) -> tuple[NoteKey, Ed25519PrivateKey]:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return NoteKey(name=name, public=private.public_key().public_bytes_raw()), private


LOG, LOG_KEY = party("patchwork/northshire/housing", 1)
HUB, HUB_KEY = party("patchwork/northshire/hub", 2)
ROOT = bytes(range(32))
FIRST = Checkpoint(origin=LOG.name, head=Head(epoch=1, size=1234, root=ROOT))
LATER = Checkpoint(origin=LOG.name, head=Head(epoch=2, size=1200, root=ROOT), after=FIRST.head)
NOW = 1_795_000_000.0

# Golden: stored checkpoints must verify for years, so these bytes never change.
FIRST_NOTE = (VECTORS / "first_epoch.note").read_text("utf-8")


def test_the_published_example_of_a_signed_note_verifies_and_is_signed_alike() -> None:
    assert PETER.id(ED25519).hex() == "c74f20a3"
    parsed = note.read(PETERS_NOTE)
    (signature,) = parsed.by(PETER, ED25519)
    assert PETER.holds(signature, parsed.text.encode())
    assert note.signed(PETERS_TEXT, PETER, Ed25519PrivateKey.from_private_bytes(PETERS_SEED)) == PETERS_NOTE


def test_the_published_example_of_a_cosignature_is_read_as_its_specification_says() -> None:
    log, witness = note.read(WITNESSED).signatures
    assert (log.name, len(log.data)) == ("example.com/behind-the-sofa", 64)
    assert (witness.name, len(witness.data)) == ("witness.example.com/w1", 8 + 64)
    assert int.from_bytes(witness.data[:8], "big") == 1_679_315_147


def test_a_checkpoint_and_its_cosignature_keep_their_bytes() -> None:
    signed = checkpoint.sign(FIRST, LOG, LOG_KEY)
    both = checkpoint.with_cosignatures(signed, [checkpoint.cosign(signed, HUB, HUB_KEY, NOW)])
    assert both == FIRST_NOTE
    assert checkpoint.verify(FIRST_NOTE, LOG) == FIRST
    cosigned = checkpoint.cosigned_by(FIRST_NOTE, HUB)
    assert cosigned is not None
    assert (cosigned.witness, cosigned.time) == (HUB.name, int(NOW))


def test_a_new_epoch_names_the_head_that_it_follows() -> None:
    signed = checkpoint.sign(LATER, LOG, LOG_KEY)
    assert "after 1 1234 AAEC" in signed
    assert checkpoint.verify(signed, LOG) == LATER
    with pytest.raises(NoteInvalid, match="earlier epoch"):
        Checkpoint(origin=LOG.name, head=LATER.head)
    with pytest.raises(NoteInvalid, match="earlier epoch"):
        Checkpoint(origin=LOG.name, head=FIRST.head, after=FIRST.head)


def test_who_signs_with_another_key_or_for_another_log_is_not_believed() -> None:
    other, other_key = party(LOG.name, 9)
    with pytest.raises(NoteInvalid, match="not signed by its log"):
        checkpoint.verify(checkpoint.sign(FIRST, other, other_key), LOG)
    elsewhere = Checkpoint(origin="patchwork/northshire/police", head=FIRST.head)
    with pytest.raises(NoteInvalid, match="another log"):
        checkpoint.verify(checkpoint.sign(elsewhere, LOG, LOG_KEY), LOG)


def test_a_log_cannot_pass_for_its_own_witness_nor_a_witness_for_the_log() -> None:
    signed = checkpoint.sign(FIRST, LOG, LOG_KEY)
    assert checkpoint.cosigned_by(signed, LOG) is None
    cosigned = checkpoint.cosign(signed, LOG, LOG_KEY, NOW)
    text = note.read(signed).text
    with pytest.raises(NoteInvalid, match="not signed by its log"):
        checkpoint.verify(f"{text}\n{cosigned}", LOG)


@pytest.mark.parametrize("changed", ["1234", "epoch 1", "AAECAwQF"])
def test_a_changed_checkpoint_loses_its_signature_and_its_cosignature(changed: str) -> None:
    forged = FIRST_NOTE.replace(changed, {"1234": "1235", "epoch 1": "epoch 2", "AAECAwQF": "BAECAwQF"}[changed])
    assert checkpoint.cosigned_by(forged, HUB) is None
    with pytest.raises(NoteInvalid, match="not signed by its log"):
        checkpoint.verify(forged, LOG)


def test_a_cosignature_of_another_time_does_not_hold() -> None:
    signed = checkpoint.sign(FIRST, LOG, LOG_KEY)
    line = note.read_line(checkpoint.cosign(signed, HUB, HUB_KEY, NOW).rstrip("\n"))
    later = note.Signature(line.name, line.key_id, (int(NOW) + 1).to_bytes(8, "big") + line.data[8:])
    assert checkpoint.cosigned_by(checkpoint.with_cosignatures(signed, [later.line()]), HUB) is None


def test_a_cosignature_at_a_time_beyond_all_calendars_is_none() -> None:
    signed = checkpoint.sign(FIRST, LOG, LOG_KEY)
    latest, beyond, far = (
        checkpoint.cosign(signed, HUB, HUB_KEY, at) for at in (checkpoint.MAX_TIME, checkpoint.MAX_TIME + 1, 2**63)
    )
    assert checkpoint.cosigned_by(checkpoint.with_cosignatures(signed, [beyond, far]), HUB) is None
    with_both = checkpoint.cosigned_by(checkpoint.with_cosignatures(signed, [latest, beyond]), HUB)
    assert with_both is not None
    assert with_both.time == checkpoint.MAX_TIME


def _signed_text(text: str) -> str:
    return note.signed(text, LOG, LOG_KEY)


HOSTILE: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "no-signature": lambda: FIRST.text() + "\n",
    "no-empty-line": lambda: FIRST.text() + FIRST_NOTE.rpartition("\n\n")[2],
    "no-last-line-feed": lambda: FIRST_NOTE[:-1],
    "text-after-the-signatures": lambda: FIRST_NOTE + "and more\n",
    "hyphen-for-the-dash": lambda: FIRST_NOTE.replace("— ", "- "),
    "carriage-returns": lambda: FIRST_NOTE.replace("\n", "\r\n"),
    "nul": lambda: _signed_text(FIRST.text().replace("epoch 1", "epoch 1\0")),
    "too-long": lambda: FIRST_NOTE + FIRST_NOTE.splitlines(keepends=True)[-1] * 200,
    "too-many-signatures": lambda: FIRST_NOTE + "— a AAAAAAAA\n" * 64,
    "signature-not-base64": lambda: FIRST_NOTE[:-5] + "====\n",
    "signature-with-unused-bits": lambda: FIRST_NOTE + "— a AAAAAAB=\n",
    "signature-of-an-id-alone": lambda: FIRST_NOTE + "— a AAAAAA==\n",
    "name-with-a-plus": lambda: FIRST_NOTE + "— a+b AAAAAAAA\n",
    "own-signature-twice": lambda: FIRST_NOTE + FIRST_NOTE.splitlines(keepends=True)[5],
    "leading-zero": lambda: _signed_text(FIRST.text().replace("1234", "01234")),
    "negative": lambda: _signed_text(FIRST.text().replace("1234", "-1")),
    "other-digits": lambda: _signed_text(FIRST.text().replace("1234", "١٢")),
    "beyond-2-53": lambda: _signed_text(FIRST.text().replace("1234", "9007199254740992")),
    "thousands-of-digits": lambda: _signed_text(FIRST.text().replace("1234", "9" * 5000)),
    "epoch-0": lambda: _signed_text(FIRST.text().replace("epoch 1", "epoch 0")),
    "epoch-2-without-what-it-follows": lambda: _signed_text(FIRST.text().replace("epoch 1", "epoch 2")),
    "epoch-that-follows-itself": lambda: _signed_text(LATER.text().replace("after 1", "after 2")),
    "short-root": lambda: _signed_text(FIRST.text().replace("Hh8=", "Hg==")),
    "no-epoch": lambda: _signed_text("".join(FIRST.text().splitlines(keepends=True)[:3])),
    "one-line-more": lambda: _signed_text(LATER.text() + "more\n"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_note_is_refused(name: str) -> None:
    with pytest.raises(NoteInvalid):
        checkpoint.verify(HOSTILE[name](), LOG)


@given(st.text(max_size=400))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    for hostile in (text, FIRST_NOTE[:100] + text, FIRST_NOTE + text, FIRST.text() + "\n— " + text):
        try:
            note.read(hostile)
            checkpoint.split_notes(hostile)
        except NoteInvalid as error:
            assert len(str(error)) < 100  # noqa: PT017 - nothing of the note is quoted


def test_the_empty_log_has_a_checkpoint_too() -> None:
    empty = Checkpoint(origin=LOG.name, head=Head(epoch=1, size=0, root=EMPTY_ROOT))
    assert checkpoint.verify(checkpoint.sign(empty, LOG, LOG_KEY), LOG) == empty


def test_notes_in_one_file_are_told_apart() -> None:
    second = checkpoint.sign(LATER, LOG, LOG_KEY)
    assert checkpoint.split_notes(FIRST_NOTE + second + FIRST_NOTE) == [FIRST_NOTE, second, FIRST_NOTE]
    assert checkpoint.split_notes("") == []


def test_the_key_id_of_a_cosignature_is_not_that_of_a_logs_signature() -> None:
    assert HUB.id(COSIGNATURE) != HUB.id(ED25519)
