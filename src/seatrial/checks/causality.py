"""Which operations another builds on: by its replica's account, and by what clients carried between regions.

A past is a version vector: of each region, how many of its operations were seen. A region's operations are
seen in the order in which it did them, so a count says which.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

from seatrial.checks.replicas import Operation

Dot = tuple[str, int]  # region, and which of its operations


def replaced(writes: Sequence[Operation], pasts: Mapping[Dot, Mapping[str, int]]) -> Iterator[Dot]:
    """For each write of a setting, in the order of their ranks, the one that was held where it was made.

    That is the last of what it had seen; and of one region's writes it had seen a prefix.
    """
    by_origin: dict[str, list[Operation]] = {}
    for write in writes:
        past = pasts[write.dot]
        seen = [
            theirs[count - 1]
            for origin, theirs in by_origin.items()
            if (count := bisect_right(theirs, past.get(origin, 0), key=lambda each: each.number))
        ]
        if seen:
            yield max(seen, key=lambda each: each.rank).dot
        by_origin.setdefault(write.origin, []).append(write)


def pasts_of(
    operations: Mapping[Dot, Operation],
    carried: Mapping[str, Sequence[str]],
    by_key: Mapping[str, Sequence[Operation]],
) -> dict[Dot, Mapping[str, int]]:
    """The causal past of each operation as a version vector, with what clients carried between regions.

    `carried`: a write's key → the keys of those whose result its client had read. In the order of stamps,
    which causality follows, each past is made from those of what it builds on.
    """
    pasts: dict[Dot, Mapping[str, int]] = {}
    for operation in sorted(operations.values(), key=lambda each: each.rank):
        seen = {**operation.context, operation.origin: operation.number - 1}
        read = [done.dot for key in carried.get(operation.key, ()) for done in by_key.get(key, ())]
        past = _joined([seen, *(pasts.get(dot, {}) for dot in seen.items())])
        pasts[operation.dot] = _joined([past, *({**pasts.get(dot, {}), dot[0]: dot[1]} for dot in read)])
    return pasts


def _joined(vectors: Iterable[Mapping[str, int]]) -> dict[str, int]:
    joined: dict[str, int] = {}
    for vector in vectors:
        for origin, number in vector.items():
            joined[origin] = max(number, joined.get(origin, 0))
    return joined
