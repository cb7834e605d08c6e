"""Instants by their rows are what an array of them would be."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.measure.picked import Picked
from seatrial.model import parts

INSTANT = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 7.0])


@pytest.fixture(autouse=True, scope="module")
def small_parts() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "ROWS", 3)
        yield


@given(
    st.lists(INSTANT, max_size=12),
    INSTANT,
    st.booleans(),
    st.slices(15),
    st.lists(st.one_of(INSTANT, st.just(math.inf), st.just(0.7)), max_size=8),
    st.sampled_from(["left", "right"]),
)
def test_it_is_the_array(
    column: list[float],
    first: float,
    endless: bool,
    at: slice,
    wanted: list[float],
    side: Literal["left", "right"],
) -> None:
    instants = np.array(column)
    rows = np.argsort(instants, kind="stable").astype(np.int32)
    array = np.maximum.accumulate([first, *instants[rows], *([math.inf] if endless else [])])
    picked = Picked(first, instants, rows, endless)
    assert len(picked) == len(array)
    assert np.array_equal(picked[at], array[at])
    assert (picked[0], picked[-1]) == (array[0], array[-1])
    assert picked.searchsorted(wanted, side).tolist() == np.searchsorted(array, wanted, side).tolist()
    assert [int(picked.searchsorted(each, side)) for each in wanted] == [
        int(np.searchsorted(array, each, side)) for each in wanted
    ]
