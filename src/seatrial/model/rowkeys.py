"""The keys of rows: few rows have one, and each is another, so they are kept as bytes one after the other.

A night's log has millions of them. As Python's texts they would weigh ten times what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

_MOST_BYTES = 1 << 20  # whose places are computed at once when keys are picked
_MOST_KEYS = 1 << 12  # that are read at once

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of `length` rows. Key k, of row `rows[k]`, is `data[starts[k]:starts[k + 1]]`, UTF-8."""

    length: int
    rows: npt.NDArray[np.int32]  # those that have one, ascending
    starts: Numbers  # one more than there are keys
    data: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> Keys:
        """Plain texts, None where there is none."""
        encoded = [None if text is None else text.encode() for text in texts]
        lengths = np.array([0 if key is None else len(key) + 1 for key in encoded], dtype=np.int64)
        return cls.packed(lengths, b"".join(key for key in encoded if key))

    @classmethod
    def packed(cls, lengths: npt.NDArray[Any], data: bytes) -> Keys:
        """From the lengths (plus 1, 0 for none) of keys that lie one after the other."""
        rows = np.flatnonzero(lengths)
        starts = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(lengths[rows].astype(np.int64) - 1, out=starts[1:])
        return cls(len(lengths), rows.astype(np.int32), starts, np.frombuffer(data, dtype=np.uint8))

    @classmethod
    def nothing(cls, length: int) -> Keys:
        """So many rows without one."""
        return cls.packed(np.zeros(length, dtype=np.int64), b"")

    @classmethod
    def concat(cls, columns: Sequence[Keys]) -> Keys:
        """The rows of several, one after the other."""
        before = np.cumsum([0, *(len(column) for column in columns)])
        spans = [column.data[column.starts[0] : column.starts[-1]] for column in columns]
        lengths = np.concatenate([np.empty(0, np.int64), *(np.diff(column.starts) for column in columns)])
        rows = [column.rows + np.int32(start) for column, start in zip(columns, before, strict=False)]
        return cls(
            int(before[-1]),
            np.concatenate([np.empty(0, np.int32), *rows]),
            np.append(0, np.cumsum(lengths)),
            np.concatenate([np.empty(0, np.uint8), *spans]),
        )

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[str | None]:
        return iter(self.tolist())

    def tolist(self) -> list[str | None]:
        """The key of each row, None where there is none."""
        found: list[str | None] = [None] * self.length
        for row, text in zip(self.rows.tolist(), self.texts(), strict=True):
            found[row] = text
        return found

    def __getitem__(self, rows: Any) -> Keys:
        """The keys of the rows that a slice, a boolean mask or an index array selects."""
        if isinstance(rows, slice) and (rows.step or 1) == 1:
            return self._stretch(*rows.indices(self.length)[:2])
        number = np.full(self.length, -1, dtype=np.int32)  # of each row's key
        number[self.rows] = np.arange(len(self.rows), dtype=np.int32)
        wanted = number[rows]
        has = np.flatnonzero(wanted >= 0)
        return self._picked(len(wanted), has.astype(np.int32), wanted[has])

    def texts(self) -> Iterator[str]:
        """All keys that there are, in the order of their rows."""
        return (key.decode() for key in self.encoded())

    def encoded(self) -> Iterator[bytes]:
        """The same as they are kept, UTF-8."""
        for first in range(0, len(self.rows), _MOST_KEYS):
            places = self.starts[first : first + _MOST_KEYS + 1]
            data = self.data[places[0] : places[-1]].tobytes()
            for start, stop in pairwise((places - places[0]).tolist()):
                yield data[start:stop]

    def _stretch(self, start: int, stop: int) -> Keys:
        low, high = np.searchsorted(self.rows, (start, max(start, stop))).tolist()
        rows = self.rows[low:high]
        rows = rows - np.int32(start) if start else rows
        return Keys(max(stop - start, 0), rows, self.starts[low : high + 1], self.data)

    def _picked(self, length: int, rows: npt.NDArray[np.int32], keys: npt.NDArray[np.int32]) -> Keys:
        """The `keys` with these numbers, as those of `rows`."""
        lengths = np.diff(self.starts)[keys]
        starts = np.append(0, np.cumsum(lengths))
        data = np.empty(int(starts[-1]), dtype=np.uint8)
        edges = np.unique(np.searchsorted(starts, np.arange(0, len(data), _MOST_BYTES)))
        for low, high in pairwise(np.append(edges, len(keys)).tolist()):
            moved = np.repeat(self.starts[keys[low:high]] - starts[low:high], lengths[low:high])
            data[starts[low] : starts[high]] = self.data[np.arange(starts[low], starts[high]) + moved]
        return Keys(length, rows, starts, data)
