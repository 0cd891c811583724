"""A witness never cosigns two histories of one log: the rules of consent_ledger/witness.py, one by one."""

import hashlib

import pytest

from consent_ledger.checkpoint import Checkpoint, Head
from consent_ledger.merkle import EMPTY_ROOT, TreeHasher, consistency_proof, node_hash
from consent_ledger.witness import WitnessRefused, check

LEAVES = [hashlib.sha256(bytes([number])).digest() for number in range(40)]
REWRITTEN = [*LEAVES[:5], bytes(32), *LEAVES[6:]]
ORIGIN = "patchwork/northshire/housing"


def head(size: int, leaves: list[bytes] = LEAVES, epoch: int = 1) -> Head:
    tree = TreeHasher()
    for leaf in leaves[:size]:
        tree.append(leaf)
    return Head(epoch=epoch, size=size, root=tree.root() if size else EMPTY_ROOT)


def first(size: int, leaves: list[bytes] = LEAVES) -> Checkpoint:
    return Checkpoint(origin=ORIGIN, head=head(size, leaves))


def proof(old: int, new: int, leaves: list[bytes] = LEAVES) -> list[bytes]:
    def node(level: int, index: int) -> bytes:
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1)) if level else leaves[index]

    return consistency_proof(old, new, node) if old else []


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 7), (1, 2), (7, 7), (7, 8), (8, 16), (7, 40)])
def test_a_log_that_only_grew_is_cosigned(old: int, new: int) -> None:
    check(first(old), first(new), proof(old, new))


def test_the_first_head_of_a_log_is_cosigned_as_it_is() -> None:
    check(None, first(7), [])


@pytest.mark.parametrize(("old", "new"), [(7, 8), (7, 40), (8, 16), (7, 7)])
def test_a_rewritten_log_is_refused_whatever_it_offers_as_proof(old: int, new: int) -> None:
    for offered in (proof(old, new, REWRITTEN), proof(old, new), []):
        with pytest.raises(WitnessRefused):
            check(first(old), first(new, REWRITTEN), offered)


def test_a_log_that_became_shorter_is_refused() -> None:
    with pytest.raises(WitnessRefused, match="fewer entries"):
        check(first(8), first(7), proof(7, 8))


def test_a_new_epoch_is_cosigned_if_it_names_the_head_that_was_seen_or_a_later_one() -> None:
    for seen, named in ((20, 20), (18, 20)):
        check(first(seen), Checkpoint(origin=ORIGIN, head=head(15, epoch=2), after=head(named)), [])


def test_a_new_epoch_that_names_less_or_other_than_was_seen_is_refused() -> None:
    for named in (head(19), head(20, REWRITTEN)):
        with pytest.raises(WitnessRefused, match="new epoch"):
            check(first(20), Checkpoint(origin=ORIGIN, head=head(15, epoch=2), after=named), [])


def test_a_log_cannot_go_back_to_an_epoch_that_has_ended_or_tell_its_beginning_otherwise() -> None:
    second = Checkpoint(origin=ORIGIN, head=head(15, epoch=2), after=head(20))
    with pytest.raises(WitnessRefused, match="earlier epoch"):
        check(second, first(30), proof(20, 30))
    with pytest.raises(WitnessRefused, match="began otherwise"):
        check(second, Checkpoint(origin=ORIGIN, head=head(16, epoch=2), after=head(21)), proof(15, 16))
    check(second, Checkpoint(origin=ORIGIN, head=head(16, epoch=2), after=head(20)), proof(15, 16))
