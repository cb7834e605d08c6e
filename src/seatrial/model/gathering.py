"""A long request log, put together part by part, without ever being there twice.

Memory that nobody has written to is none: columns are made long, and only what is filled weighs. What does
not fit into them any more moves to longer ones, a column at a time. Codes are kept as narrow as the number of
texts allows; most columns know a handful, and then a row of them is a byte each.

The parts are gone by then, and the C library keeps what they took for others like them: of a night's that
came from Parquet 212 MiB of 862. It is asked to give that back.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from seatrial.model.requestlog import TENANT, TEXTS, Coded, Codes, Holds, RequestLog, names_of
from seatrial.model.rowkeys import Keys

_PLAIN = names_of(Holds.SECONDS, Holds.TRUTH, Holds.STATUS)
_NARROW = (np.uint8, np.uint16, np.int32)
_LONG = 1 << 20  # rows


class Gathering:
    """Takes the parts of a log in order. `room`: for how many rows, if that is known; `keys`: wanted."""

    def __init__(self, room: int = 0, *, keys: bool = True) -> None:
        self._room = max(room, 1)
        self._rows = 0
        self._plain: dict[str, np.ndarray[Any, Any]] = {}
        self._texts = {name: _Texts(self._room) for name in TEXTS}
        self._keys: list[Keys] | None = [] if keys else None

    def __len__(self) -> int:
        return self._rows

    def add(self, log: RequestLog) -> None:
        """Append rows. Those of a log without any still bring its texts, in their order."""
        start, stop = self._rows, self._rows + len(log)
        if stop > self._room:
            self._widen(max(stop, 2 * self._room))
        for name in _PLAIN:
            values = getattr(log, name)
            if name not in self._plain:
                self._plain[name] = np.empty(self._room, values.dtype)
            self._plain[name][start:stop] = values
        if log.tenant is not None and TENANT.name not in self._texts:
            self._texts[TENANT.name] = _Texts(self._room)
            self._texts[TENANT.name].put(0, Coded.nothing(start))
        for name, texts in self._texts.items():
            texts.put(start, getattr(log, name) or Coded.nothing(len(log)))
        if self._keys is not None and (self._keys or log.keys is not None):
            if not self._keys:
                self._keys.append(Keys.nothing(start))
            self._keys.append(Keys.nothing(len(log)) if log.keys is None else log.keys)
        self._rows = stop

    def whole(self) -> RequestLog:
        """All rows that were added, in the order in which they came. Nothing can be added afterwards."""
        if not self._plain:
            return RequestLog.empty()
        columns: dict[str, Any] = {name: self._plain.pop(name)[: self._rows] for name in _PLAIN}
        columns |= {name: texts.column(self._rows) for name, texts in self._texts.items()}
        if self._keys:
            columns["keys"] = Keys.concat(self._keys)
            self._keys.clear()
        if self._rows >= _LONG:
            give_back()
        return RequestLog(**columns)

    def _widen(self, room: int) -> None:
        for name in list(self._plain):
            self._plain[name] = _longer(self._plain.pop(name), self._rows, room)
        for texts in self._texts.values():
            texts.codes = _longer(texts.codes, self._rows, room)
        self._room = room


def give_back() -> None:
    """What is allocated and not used, where the C library can do this (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class _Texts:
    """A text column that grows."""

    def __init__(self, room: int) -> None:
        self.codes: Codes = np.zeros(
            room, _NARROW[0]
        )  # which weigh nothing, as long as nobody writes to them
        self._index: dict[str, int] = {}

    def put(self, start: int, column: Coded) -> None:
        known = [self._index.setdefault(value, len(self._index)) for value in column.values]
        kind = next(kind for kind in _NARROW if len(self._index) <= np.iinfo(kind).max + 1)
        if np.dtype(kind).itemsize > self.codes.itemsize:
            self.codes = _longer(self.codes, start, len(self.codes), kind)
        codes = np.array(known or [0], dtype=kind)[column.codes]
        if codes.any():
            self.codes[start : start + len(codes)] = codes

    def column(self, rows: int) -> Coded:
        return Coded(self.codes[:rows], tuple(self._index))


def _longer(column: np.ndarray[Any, Any], rows: int, room: int, kind: Any = None) -> np.ndarray[Any, Any]:
    """The same with room for more, which is zeros; only the first `rows` are there."""
    found = np.zeros(room, column.dtype if kind is None else kind)
    found[:rows] = column[:rows]
    return found
