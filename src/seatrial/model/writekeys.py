"""The keys of the writes of a run, `ID CONTENT…`: up to the first space the id, after it what the write says.

A night has millions of them. They stay the bytes that they are in the log, and are read one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np

from seatrial.model.exactindex import ExactIndex, Numbers
from seatrial.model.rowkeys import Keys


class WriteKeys:
    """Those of a log, numbered in the order of its rows. An id stands in several when it was tried again."""

    def __init__(self, keys: Keys) -> None:
        self._reader = _Reader(keys)
        self._ids = ExactIndex(map(_id_in, keys.encoded()), len(keys.rows), self.id_at)
        self.firsts = self._ids.firsts()
        """Of each key the number of the first with its id."""

    def id_at(self, number: int) -> bytes:
        """The id in the key with this number, UTF-8."""
        return _id_in(self._reader.key_at(number))

    def content_at(self, number: int) -> bytes:
        """What follows the id."""
        return self._reader.key_at(number).partition(b" ")[2]

    def find(self, ids: Sequence[bytes]) -> Numbers:
        """Of each id the number of the first key that has it, NONE for none; shape (len(ids),)."""
        return self._ids.find(ids)

    def each_once(self) -> EachOnce:
        """The different keys, in the order in which their ids came."""
        order = np.argsort(self.firsts, kind="stable").astype(np.int32)
        different = np.ones(len(order), dtype=np.bool_)
        first, known = -1, set[bytes]()
        for place in np.flatnonzero(self.firsts[order] != order).tolist():
            number = int(order[place])
            if self.firsts[number] != first:
                first = int(self.firsts[number])
                known = {self._reader.key_at(first)}
            key = self._reader.key_at(number)
            different[place] = key not in known
            known.add(key)
        return EachOnce(self._reader, order[different])


class EachOnce(Sequence[str]):
    """The different keys of a log, made into texts as they are read; those of one id stand side by side."""

    def __init__(self, reader: _Reader, numbers: Numbers) -> None:
        self._reader, self._numbers = reader, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self._reader.key_at(number).decode() for number in self._numbers[index].tolist()]
        return self._reader.key_at(int(self._numbers[index])).decode()

    def __iter__(self) -> Iterator[str]:
        return (self._reader.key_at(number).decode() for number in map(int, self._numbers))


class _Reader:
    """Keys by their numbers: views of the log's own bytes."""

    def __init__(self, keys: Keys) -> None:
        self._starts, self._data = keys.starts.data, keys.data.data

    def key_at(self, number: int) -> bytes:
        return self._data[self._starts[number] : self._starts[number + 1]].tobytes()


def _id_in(key: bytes) -> bytes:
    return key.partition(b" ")[0]
