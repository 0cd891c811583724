"""The format of a leaf: fixed for good, bound to its header, closed to a second key."""

import orjson
import pytest

from consent_ledger.errors import LedgerCorrupt
from consent_ledger.kinds import KIND_CLASSES, EntryKind, KindClass
from consent_ledger.record import MAX_BODY_BYTES, HeaderReader, LeafHeader, body_bytes, open_leaf, read_leaf, seal_leaf

SECRET = bytes(range(32))
HEADER = LeafHeader(KindClass.DISCLOSURE, 498_765, "northshire")


def leaf() -> bytes:
    return seal_leaf(HEADER, body_bytes(EntryKind.ANSWERED, 1.5, {"b": 1, "a": "x"}), SECRET)


def test_leaf_opens_to_what_was_sealed() -> None:
    assert open_leaf(leaf(), SECRET) == {"a": "x", "at": 1.5, "b": 1, "kind": "answered"}
    assert read_leaf(leaf()).header == HEADER


def test_format_is_the_documented_one() -> None:
    fields, rest = [], leaf()
    while rest:
        length = int.from_bytes(rest[:4], "big")
        fields.append(rest[4 : 4 + length])
        rest = rest[4 + length :]
    assert fields[:4] == [b"\x01", b"disclosure", (498_765).to_bytes(8, "big"), b"northshire"]
    assert [len(field) for field in fields[4:]] == [32, 32, 256 + 16]


def test_a_leaf_written_by_the_first_version_still_opens() -> None:
    """Fixed bytes: whoever changes the format breaks this, and every ledger in use."""
    stored = bytes.fromhex(
        "00000001010000000a646973636c6f73757265000000080000000000079bb30000000a6e6f727468736869726500000020bb"
        "ed58039ed924b1476364c8d3fda83419ec1647e0d656dc5491ed1314c0682200000020c19a7ccf0b0c3850717ac9f51890e5"
        "06a5e04d410da23c6c97bd2922e24387ec0000011040aa74db4ce6dc5db18a604ab9760f4da9e85ed810ab2ca371f9e56a8f"
        "34d65acf1452dfc49be57f9b6114bcd8bed398dbab1cc58548d0265342fab96f4f7e9d85dd1af43bbff639ca0f9e055455cb"
        "301f8d36714fd9ec58d1eadcd3d76a382c5012cf13815913e493a9120e261d7c8cd8898a2361b770e96eddd930a7bf2ac548"
        "d2aa39579fbe8d494561dff615b0cf9d758ff85ed17f6f2ed3f98d9428f852cbe46d51e42b828c06f0dd76e87afcf7cf8087"
        "152f24bc296e2ca4a2e8834e4eb3528a72afae6f79ee3e238f96392e58cf838425a293dd14717fee2ac0d5547c2bbe5b273e"
        "9789a6d629d9b2fc05d5c06ae249ee6b558d95b7741e67432c97f3806af275069cec3c5bb77c35d80f18c2"
    )
    assert open_leaf(stored, SECRET) == {"at": 1795000000.25, "jti": "j", "kind": "answered"}


def test_body_is_canonical_and_its_length_tells_little() -> None:
    first = body_bytes(EntryKind.ASKED, 1.0, {"b": 1, "a": 2})
    assert first == body_bytes(EntryKind.ASKED, 1.0, {"a": 2, "b": 1})
    assert len(first) % 256 == 0
    assert first.rstrip() == orjson.dumps(orjson.loads(first), option=orjson.OPT_SORT_KEYS)


def test_two_leaves_of_one_body_differ() -> None:
    assert leaf() != leaf()


def test_another_secret_does_not_open_it() -> None:
    with pytest.raises(LedgerCorrupt, match="key"):
        open_leaf(leaf(), bytes(32))


def test_no_byte_can_be_changed_unnoticed() -> None:
    sealed = leaf()
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :]
        with pytest.raises(LedgerCorrupt):
            open_leaf(changed, SECRET)


@pytest.mark.parametrize("length", [0, 1, 3, 4, 60, 200])
def test_a_cut_leaf_is_refused(length: int) -> None:
    with pytest.raises(LedgerCorrupt):
        open_leaf(leaf()[:length], SECRET)


def test_kind_must_be_of_the_class_shown() -> None:
    sealed = seal_leaf(HEADER, body_bytes(EntryKind.CONSENT, 1.0, {}), SECRET)
    with pytest.raises(LedgerCorrupt, match="kind"):
        open_leaf(sealed, SECRET)


def test_every_kind_has_a_class() -> None:
    assert set(KIND_CLASSES) == set(EntryKind)


@pytest.mark.parametrize("value", [object(), float, "\ud800", 2**70])
def test_what_is_not_plain_data_is_refused_before_it_is_queued(value: object) -> None:
    with pytest.raises(ValueError, match="plain data"):
        body_bytes(EntryKind.ASKED, 1.0, {"a": value})


def test_too_long_a_body_is_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        body_bytes(EntryKind.ASKED, 1.0, {"a": "x" * MAX_BODY_BYTES})


def test_headers_read_one_after_the_other_are_those_of_their_leaves_and_as_strict() -> None:
    reader = HeaderReader()
    for header in (HEADER, HEADER, HEADER._replace(hour=HEADER.hour + 1), HEADER, HEADER._replace(federation="south")):
        good = seal_leaf(header, body_bytes(EntryKind.ANSWERED, 1.5, {}), SECRET)
        assert reader.read(good) == header
        assert reader.read(good) == header
        for cut in range(1, len(good)):
            with pytest.raises(LedgerCorrupt):
                reader.read(good[:cut])
            assert reader.read(good) == header
        for bad in (good + b"\0", good + bytes(4), good[:-1] + bytes(4)):
            with pytest.raises(LedgerCorrupt):
                reader.read(bad)
