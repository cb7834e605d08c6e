"""Instants of a log in another order, by the rows that hold them: half of what a copy of them would weigh.

A night's log has fifteen million; two copies of them, in the order in which requests ended, were as large as
a quarter of all else that a conductor holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from seatrial.model import parts
from seatrial.model.requestlog import Floats

Rows = npt.NDArray[np.int32]


class Instants(Protocol):
    """Ascending instants: an array of them, or as good as one."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: Any) -> Any:
        """One of them, or those of a slice as an array."""

    def searchsorted(self, v: Any, side: Any = "left") -> Any:
        """As NumPy's."""


@dataclass(frozen=True, slots=True)
class Picked:
    """`first`, then `column[rows]`, then infinity if it is `endless`; none counts as earlier than `first`.

    With that they are ascending.
    """

    first: float
    column: Floats
    rows: Rows
    endless: bool = False

    def __len__(self) -> int:
        return 1 + len(self.rows) + self.endless

    def __getitem__(self, at: Any) -> Any:
        """One of them, or those of a slice as an array."""
        if not isinstance(at, slice):
            at = range(len(self))[at]
            return self[at : at + 1][0]
        start, stop, step = at.indices(len(self))
        if step != 1:
            return self[:][at]
        found = np.full(max(stop - start, 0), np.inf)
        rows = self.rows[max(start - 1, 0) : max(stop - 1, 0)]
        here = max(1 - start, 0)  # places before those of rows
        found[:here] = self.first
        found[here : here + len(rows)] = np.maximum(self.column[rows], self.first)
        return found

    def searchsorted(self, v: Any, side: Any = "left") -> Any:
        """As NumPy's, a part at a time."""
        wanted = np.asarray(v, dtype=np.float64)
        stretches = list(parts.parts(len(self)))
        lasts = np.array([self[stretch.stop - 1] for stretch in stretches])
        which = np.searchsorted(lasts, wanted, side=side)
        found = np.full(wanted.shape, len(self), dtype=np.intp)
        for number in np.unique(which[which < len(stretches)]):
            here = which == number
            found[here] = stretches[number].start + np.searchsorted(
                self[stretches[number]], wanted[here], side=side
            )
        return found
