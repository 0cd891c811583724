"""RFC 9162 trees against transparency-dev's vectors, and our proofs against our verifiers."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from consent_ledger.merkle import (
    EMPTY_ROOT,
    ProofInvalid,
    TreeHasher,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "merkle"
FILES = sorted(VECTORS.glob("*/**/*.json"))
SIZE = 70  # crosses several powers of two


def check(path: Path, vector: dict[str, Any]) -> None:
    proof = [b64decode(each) for each in vector["proof"] or ()]
    if path.is_relative_to(VECTORS / "inclusion"):
        leaf, root = b64decode(vector["leafHash"]), b64decode(vector["root"])
        verify_inclusion(leaf, vector["leafIdx"], vector["treeSize"], proof, root)
    else:
        roots = b64decode(vector["root1"]), b64decode(vector["root2"])
        verify_consistency(vector["size1"], vector["size2"], *roots, proof)


def test_all_vectors_are_here() -> None:
    assert len(FILES) == 196


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(VECTORS).with_suffix("")))
def test_vector(path: Path) -> None:
    vector = json.loads(path.read_bytes())
    if vector["wantErr"]:
        with pytest.raises(ProofInvalid):
            check(path, vector)
    else:
        check(path, vector)


def grown(size: int) -> tuple[list[bytes], dict[tuple[int, int], bytes], list[bytes]]:
    """Leaf hashes, all full subtrees' roots, and the root at every size."""
    leaves = [leaf_hash(number.to_bytes(2, "big")) for number in range(size)]
    nodes = {(0, position): leaf for position, leaf in enumerate(leaves)}
    tree, roots = TreeHasher(), [EMPTY_ROOT]
    for leaf in leaves:
        nodes |= {(level, position): hashed for level, position, hashed in tree.append(leaf)}
        roots.append(tree.root())
    return leaves, nodes, roots


def definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(definition(leaves[:k]), definition(leaves[k:]))


def test_roots_are_those_of_the_definition() -> None:
    leaves, _, roots = grown(SIZE)
    assert roots == [definition(leaves[:size]) for size in range(SIZE + 1)]
    assert root_of(leaves) == roots[-1]


def test_every_inclusion_proof_verifies_and_no_other_leaf_does() -> None:
    leaves, nodes, roots = grown(SIZE)
    for size in range(1, SIZE + 1):
        for index in range(size):
            proof = inclusion_proof(index, size, lambda level, at: nodes[level, at])
            verify_inclusion(leaves[index], index, size, proof, roots[size])
            with pytest.raises(ProofInvalid):
                verify_inclusion(leaf_hash(b"another"), index, size, proof, roots[size])


def test_every_consistency_proof_verifies_and_no_other_root_does() -> None:
    _, nodes, roots = grown(SIZE)
    for new in range(1, SIZE + 1):
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, lambda level, at: nodes[level, at])
            verify_consistency(old, new, roots[old], roots[new], proof)
            with pytest.raises(ProofInvalid):
                verify_consistency(old, new, leaf_hash(b"another"), roots[new], proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_inclusion_proof_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        inclusion_proof(index, size, lambda level, at: b"")


@pytest.mark.parametrize(("old", "new"), [(0, 1), (2, 1)])
def test_no_consistency_proof_from_an_empty_or_larger_tree(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="sizes"):
        consistency_proof(old, new, lambda level, at: b"")


def test_peaks_must_fit_the_size() -> None:
    with pytest.raises(ValueError, match="peaks"):
        TreeHasher(3, [b"\x00" * 32])


def test_many_leaves_at_once_make_the_tree_that_one_after_the_other_makes() -> None:
    leaves = [leaf_hash(bytes((number,))) for number in range(70)]
    for before in range(35):
        for more in range(36):
            one, many = TreeHasher(), TreeHasher()
            for leaf in leaves[:before]:
                one.append(leaf)
            many.extend(leaves[:before])
            singly = [node for leaf in leaves[before : before + more] for node in one.append(leaf)]
            together = many.extend(leaves[before : before + more])
            assert (many.size, many.peaks) == (one.size, one.peaks)
            assert sorted(singly) == sorted(
                (level, first + at, node) for level, first, nodes in together for at, node in enumerate(nodes)
            )
