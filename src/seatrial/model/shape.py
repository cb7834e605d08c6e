"""What makes a rate shape one, whether it is read from a file, an option or a program.

Apart from `arrivals`, which needs arrays: whoever reads an experiment or a target does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def starts_in_order(starts: Sequence[float]) -> bool:
    """Whether a rate shape's steps begin at 0 and follow one another in time."""
    return bool(starts) and starts[0] == 0 and all(a < b for a, b in pairwise(starts))
