"""Merkle trees as RFC 6962 §2.1 (and RFC 9162 §2.1) define them: one root commits to a whole sequence.

    MTH({})     = SHA-256()
    MTH({d0})   = SHA-256(0x00 ‖ d0)
    MTH(D[n])   = SHA-256(0x01 ‖ MTH(D[0:k]) ‖ MTH(D[k:n])),  k the largest power of two below n

The prefixes keep leaves and nodes apart, so that no leaf can pass for a subtree. Nothing here reads a file:
proofs ask for the hash of a range of leaves through a function, whoever keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256().digest()

RangeHash = Callable[[int, int], bytes]
"""The tree hash of leaves [start, end), end > start."""


def leaf_hash(data: bytes) -> bytes:
    """32 bytes that commit to one leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """32 bytes that commit to two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: all that must be kept to add leaves and to tell the root.

    A tree of n leaves is a row of perfect subtrees, one for each set bit of n, largest first. `_peaks` maps
    the height of each to its hash, so 2^40 leaves need at most 40 hashes.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: dict[int, bytes] = {}

    def extend(self, subtrees: Sequence[bytes], height: int = 0) -> None:
        """Add perfect subtrees of 2^height leaves each (leaf hashes for 0), in order.

        The size must be a multiple of 2^height. Works level by level, like a binary counter that adds many at
        once: an odd one out at the end of a level stays there as a peak, pairs move up as one node.
        """
        self.size += len(subtrees) << height
        level = list(subtrees)
        while level:
            peak = self._peaks.pop(height, None)
            if peak is not None:
                level.insert(0, peak)
            if len(level) % 2:
                self._peaks[height] = level[-1]
            level = [
                sha256(b"\x01" + left + right).digest()
                for left, right in zip(level[::2], level[1::2], strict=False)
            ]
            height += 1

    @classmethod
    def restore(cls, size: int, peaks: Sequence[bytes]) -> Frontier:
        """The frontier of a tree of `size` leaves that had these `peaks`. Raises ValueError."""
        heights = [height for height in range(size.bit_length()) if size >> height & 1]
        frontier = cls()
        for height, peak in zip(reversed(heights), peaks, strict=True):
            frontier.extend([peak], height)
        return frontier

    @property
    def peaks(self) -> list[bytes]:
        """The hashes of the perfect subtrees, largest first."""
        return self._ascending()[::-1]

    def root(self, left: Frontier | None = None) -> bytes:
        """MTH over all leaves so far: the peaks folded from the right.

        `left`: what stands before these leaves, when they are only the last subtree of a larger tree. Its
        size must be a multiple of a power of two that is not below this size.
        """
        peaks = self._ascending() + (left._ascending() if left else [])
        if not peaks:
            return EMPTY_ROOT
        root = peaks[0]
        for peak in peaks[1:]:
            root = node_hash(peak, root)
        return root

    def _ascending(self) -> list[bytes]:
        return [self._peaks[height] for height in sorted(self._peaks)]


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    tree = Frontier()
    tree.extend(leaves)
    return tree.root()


def inclusion_path(index: int, size: int, range_hash: RangeHash) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 §2.1.1: the siblings from the leaf up to below the root."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_hash(middle, end))
            end = middle
        else:
            path.append(range_hash(start, middle))
            start = middle
    return path[::-1]


def consistency_path(first: int, size: int, range_hash: RangeHash) -> list[bytes]:
    """PROOF(first, D[size]) of RFC 6962 §2.1.2: that the tree of `first` leaves is a prefix of this one."""
    if not 0 < first <= size:
        raise ValueError(f"a tree of {size} has no prefix of {first}")
    path: list[bytes] = []
    start, end = 0, size
    while first != end:  # SUBPROOF: walk down to the node whose right edge is the old size
        middle = start + _split(end - start)
        if first <= middle:
            path.append(range_hash(middle, end))
            end = middle
        else:
            path.append(range_hash(start, middle))
            start = middle
    if start:  # that node is not the whole old tree, so the verifier needs its hash
        path.append(range_hash(start, end))
    return path[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162 §2.1.3.2: whether `path` leads from the leaf hash at `index` to the root of `size` leaves."""
    if not 0 <= index < size:
        return False
    node, last, current = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            node, last = _up_to_odd(node, last)
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and current == root


def verify_consistency(first: int, size: int, first_root: bytes, root: bytes, path: Sequence[bytes]) -> bool:
    """RFC 9162 §2.1.4.2: whether the tree of `first` leaves is a prefix of the tree of `size` leaves."""
    if not 0 < first <= size:
        return False
    if first == size:
        return not path and first_root == root
    if first & (first - 1) == 0:  # the old tree is itself a node of the new one
        path = [first_root, *path]
    if not path:
        return False
    node, last = first - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            node, last = _up_to_odd(node, last)
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == first_root and new == root


def _split(count: int) -> int:
    """The largest power of two below `count` (≥ 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def _up_to_odd(node: int, last: int) -> tuple[int, int]:
    """Skip the levels at which the last node has no sibling and moves up alone."""
    while node and not node & 1:
        node, last = node >> 1, last >> 1
    return node, last
