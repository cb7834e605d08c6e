"""The keys of rows, as bytes one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.model import rowkeys
from seatrial.model.rowkeys import Keys

KEYS = st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=5), max_size=12)


@given(KEYS, st.data())
def test_they_are_picked_as_a_list_would_be(texts: list[str | None], data: st.DataObject) -> None:
    keys = Keys.of(texts)
    assert (len(keys), list(keys)) == (len(texts), texts)
    assert list(keys.texts()) == [text for text in texts if text is not None]
    low, high = (data.draw(st.integers(-2, len(texts) + 2)) for _ in range(2))
    mask = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    order = data.draw(st.permutations(range(len(texts))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rowkeys, "_MOST_BYTES", 3)
        stretch = keys[low:high]
        assert list(stretch) == texts[low:high]
        assert list(stretch[::2]) == texts[low:high][::2]
        assert list(keys[np.array(mask, dtype=np.bool_)]) == [
            text for text, wanted in zip(texts, mask, strict=True) if wanted
        ]
        assert list(keys[np.array(order, dtype=np.intp)]) == [texts[row] for row in order]


@given(st.lists(KEYS, max_size=4))
def test_several_follow_each_other(columns: list[list[str | None]]) -> None:
    joined = Keys.concat([Keys.of([None, *texts])[1:] for texts in columns])
    assert list(joined) == [text for texts in columns for text in texts]
    assert list(Keys.nothing(3)) == [None] * 3
