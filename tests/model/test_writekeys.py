"""The keys of writes, each once, by number and by id."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from seatrial.model.rowkeys import Keys
from seatrial.model.writekeys import WriteKeys

KEYS = st.lists(st.none() | st.text("aé ", max_size=4), max_size=14)


@given(KEYS, st.integers(0, 3))
def test_each_key_is_there_once_and_those_of_an_id_side_by_side(
    texts: list[str | None], skipped: int
) -> None:
    keys = Keys.of(texts)[skipped:]
    there = [text for text in texts[skipped:] if text is not None]
    once = WriteKeys(keys).each_once()
    assert sorted(once) == sorted(set(there))
    assert (len(once), once[1:3], [once[at] for at in range(len(once))]) == (
        len(set(there)),
        list(once)[1:3],
        list(once),
    )
    ids = [identity for identity, _ in groupby(key.partition(" ")[0] for key in once)]
    assert ids == list(dict.fromkeys(key.partition(" ")[0] for key in there))


def test_a_key_is_an_id_and_what_the_write_says() -> None:
    writes = WriteKeys(Keys.of([None, "a bolt 3", "b", "a nut"]))
    assert (writes.id_at(0), writes.content_at(0)) == (b"a", b"bolt 3")
    assert (writes.id_at(1), writes.content_at(1)) == (b"b", b"")
    assert writes.firsts.tolist() == [0, 1, 0]
    assert writes.find([b"b", b"a", b"c"]).tolist() == [1, 0, -1]
