"""Texts found among millions of others, exactly, without a dictionary of them.

A dictionary of three million ids takes 400 MB. Here a text is known by its hash and its number: twelve bytes,
by which candidates are found. What has the same hash is compared letter by letter, so hashes that collide
take time and decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int32]

NONE = -1  # the number of a text that is not there
_hash: Callable[[bytes], int] = hash


class ExactIndex:
    """Of so many `texts`, in the order of their numbers; `text_at` gives one of them once more."""

    def __init__(self, texts: Iterable[bytes], length: int, text_at: Callable[[int], bytes]) -> None:
        hashes = _hashes(texts, length)
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._order = hashes[order], order.astype(np.int32)
        self._text_at = text_at

    def firsts(self) -> Numbers:
        """Of each text the number of the first that is equal to it, shape (length,)."""
        found = np.arange(len(self._order), dtype=np.int32)
        alike = np.concatenate(([False], self._hashes[1:] == self._hashes[:-1], [False]))
        edges = np.flatnonzero(alike[1:] != alike[:-1]).reshape(-1, 2)
        for start, last in edges.tolist():
            first: dict[bytes, int] = {}
            for number in map(int, self._order[start : last + 1]):
                found[number] = first.setdefault(self._text_at(number), number)
        return found

    def find(self, texts: Sequence[bytes]) -> Numbers:
        """Of each of `texts` the number of the first that is equal to it, or NONE; shape (len(texts),)."""
        if not len(self._order):
            return np.full(len(texts), NONE, dtype=np.int32)
        hashes = _hashes(texts, len(texts))
        places = np.searchsorted(self._hashes, hashes)
        inside = np.minimum(places, len(self._order) - 1)
        candidates = np.where(self._hashes[inside] == hashes, self._order[inside], NONE).tolist()
        for index, (text, candidate) in enumerate(zip(texts, candidates, strict=True)):
            if candidate != NONE and self._text_at(candidate) != text:
                candidates[index] = self._behind(int(places[index]), text)
        return np.array(candidates, dtype=np.int32)

    def _behind(self, place: int, text: bytes) -> int:
        """Among those whose hashes collide, from `place` on."""
        last = int(np.searchsorted(self._hashes, self._hashes[place], side="right"))
        numbers = map(int, self._order[place:last])
        return next((number for number in numbers if self._text_at(number) == text), NONE)


def _hashes(texts: Iterable[bytes], length: int) -> npt.NDArray[np.int64]:
    return np.fromiter(map(_hash, texts), np.int64, length)
