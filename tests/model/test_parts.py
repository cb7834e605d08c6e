"""Long columns, a part at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.model import parts


@given(st.lists(st.integers(0, 9), max_size=20), st.integers(1, 7))
def test_parts_make_the_same_as_the_whole(numbers: list[int], rows: int) -> None:
    column = np.array(numbers, dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "ROWS", rows)
        doubled = parts.each(len(column), np.int64, lambda part: column[part] * 2)
        even = parts.some(len(column), np.int64, lambda part: column[part][column[part] % 2 == 0])
        counted = parts.counts(len(column), 10, lambda part: column[part])
        odd = parts.kept(column.copy(), lambda values: values % 2 == 1)
    assert doubled.tolist() == [number * 2 for number in numbers]
    assert even.tolist() == [number for number in numbers if number % 2 == 0]
    assert odd.tolist() == [number for number in numbers if number % 2 == 1]
    assert counted.tolist() == [numbers.count(number) for number in range(10)]
