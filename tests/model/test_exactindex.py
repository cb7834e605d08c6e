"""Texts are found as a dictionary would find them, also where hashes collide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.model import exactindex
from seatrial.model.exactindex import NONE, ExactIndex

TEXTS = st.lists(st.binary(max_size=3), max_size=12)


@pytest.mark.parametrize("hashes", [hash, len, lambda _: 7, lambda text: -len(text)])
@given(texts=TEXTS, asked=TEXTS)
def test_the_first_of_equal_ones_is_found(hashes: object, texts: list[bytes], asked: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exactindex, "_hash", hashes)
        index = ExactIndex(texts, len(texts), texts.__getitem__)
        assert index.firsts().tolist() == [texts.index(text) for text in texts]
        expected = [texts.index(text) if text in texts else NONE for text in asked]
        assert index.find(asked).tolist() == expected
