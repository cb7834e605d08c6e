"""Trees and proofs against RFC 6962 taken at its word, and against proofs that prove nothing."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

sizes = st.integers(1, 300)


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(count)]


def mth(hashes: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, by its definition."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256().digest()
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def path(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1, by its definition."""
    if len(hashes) == 1:
        return []
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def subproof(m: int, hashes: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2, by its definition."""
    if m == len(hashes):
        return [] if whole else [mth(hashes)]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    if m <= k:
        return [*subproof(m, hashes[:k], whole), mth(hashes[k:])]
    return [*subproof(m - k, hashes[k:], False), mth(hashes[:k])]


@pytest.mark.parametrize(
    ("data", "root"),
    [  # the example leaves of certificate-transparency's own tests
        ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ([b""], "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ],
)
def test_known_roots(data: list[bytes], root: str) -> None:
    assert root_of([leaf_hash(each) for each in data]).hex() == root


@given(st.lists(st.integers(0, 70), max_size=8))
def test_a_tree_grown_in_any_portions_has_the_defined_root(portions: list[int]) -> None:
    tree, hashes = Frontier(), leaves(sum(portions))
    start = 0
    for portion in portions:
        tree.extend(hashes[start : start + portion])
        start += portion
        assert tree.size == start
        assert tree.root() == mth(hashes[:start])


@given(st.integers(0, 9), st.integers(0, 16))
def test_subtrees_and_what_follows_them_have_the_defined_root(full: int, rest: int) -> None:
    hashes = leaves(full * 16 + rest)
    left, tail = Frontier(), Frontier()
    left.extend([mth(hashes[start : start + 16]) for start in range(0, full * 16, 16)], height=4)
    tail.extend(hashes[full * 16 :])
    assert left.size == full * 16
    assert tail.root(left=left) == mth(hashes)


def test_of_nothing_the_root_is_the_empty_hash() -> None:
    assert Frontier().root() == EMPTY_ROOT == mth([])


@given(st.data(), sizes)
def test_inclusion(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    proof = inclusion_path(index, size, lambda start, end: mth(hashes[start:end]))
    assert proof == path(index, hashes)
    assert verify_inclusion(index, size, hashes[index], proof, mth(hashes))


@given(st.data(), sizes)
def test_a_wrong_inclusion_is_refused(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    root, proof = mth(hashes), path(index, hashes)
    other = data.draw(st.integers(0, size - 1))
    assert verify_inclusion(other, size, hashes[index], proof, root) is (other == index)
    assert not verify_inclusion(index, size, leaf_hash(b"another"), proof, root)
    assert not verify_inclusion(index, size, hashes[index], [*proof, root], root)
    assert not verify_inclusion(size, size, hashes[index], proof, root)
    if proof:
        spot = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_inclusion(index, size, hashes[index], proof[:spot] + proof[spot + 1 :], root)
        spoilt = [*proof[:spot], leaf_hash(b"another"), *proof[spot + 1 :]]
        assert not verify_inclusion(index, size, hashes[index], spoilt, root)


@given(st.data(), sizes)
def test_consistency(data: st.DataObject, size: int) -> None:
    first = data.draw(st.integers(1, size))
    hashes = leaves(size)
    proof = consistency_path(first, size, lambda start, end: mth(hashes[start:end]))
    assert proof == subproof(first, hashes, True)
    assert verify_consistency(first, size, mth(hashes[:first]), mth(hashes), proof)


@given(st.data(), sizes)
def test_a_rewritten_beginning_is_refused(data: st.DataObject, size: int) -> None:
    first = data.draw(st.integers(1, size))
    altered = data.draw(st.integers(0, first - 1))
    hashes = leaves(size)
    old = mth(hashes[:first])
    hashes[altered] = leaf_hash(b"another")
    proof = subproof(first, hashes, True)
    assert not verify_consistency(first, size, old, mth(hashes), proof)
    assert not verify_consistency(first, size, mth(hashes[:first]), mth(hashes), [*proof, old])
    assert not verify_consistency(0, size, old, mth(hashes), proof)
    assert not verify_consistency(size + 1, size, old, mth(hashes), proof)


def mth_of_none(start: int, end: int) -> bytes:
    raise AssertionError((start, end))


def test_impossible_proofs_are_errors() -> None:
    with pytest.raises(ValueError, match="no leaf 3 in a tree of 3"):
        inclusion_path(3, 3, mth_of_none)
    with pytest.raises(ValueError, match="a tree of 3 has no prefix of 4"):
        consistency_path(4, 3, mth_of_none)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 1000])
def test_a_frontier_is_restored_from_its_peaks(size: int) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size + 5)]
    before = Frontier()
    before.extend(leaves[:size])
    restored = Frontier.restore(size, before.peaks)
    restored.extend(leaves[size:])
    assert restored.root() == root_of(leaves)
    with pytest.raises(ValueError, match="zip"):
        Frontier.restore(size, [*before.peaks, b""])
