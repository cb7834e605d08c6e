"""The spool: where a load worker puts its rows down as it runs, and where others read them.

Parquet cannot be read before its footer is written, and a load generator may be killed at any moment. So rows
first go to an append-only file of framed records, as a database's write-ahead log does, and become Parquet
afterwards. Each flush appends in one write; what was written belongs to the kernel and outlives the process
(not the machine: there is no fsync, which would stall the sender). A reader in another process may poll at
any time. A frame that was cut off at the end is no error: it is simply not there yet, or never will be.

    magic, then frames:  kind (1 byte) │ length (4) │ CRC-32 of the payload (4) │ payload

    H  header, JSON: time zero, the schedule, the worker, what of the scenario means something else here.
       Written before anything is sent
    T  a text, UTF-8. Rows refer to texts by the order in which they came; each is written once
    R  rows: their count, fixed records of 41 bytes, outstanding requests, keys one after the other
    S  what the scenario failed at so far, JSON; the last one counts
    O  the offer as corrected, JSON: a rate of requests has become one of arrivals
    E  the end, JSON: the worker's own account. Missing when the worker was killed

A long run's frames behind the header are settled as it goes, and a hole is left where they were (`settled`).
All numbers are little-endian. A row frame also lists the requests that were in flight when it was written:
after a kill they are the ones that were sent and never accounted for, and the reader can say so.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt

from seatrial import disk
from seatrial.load import settled
from seatrial.load.offer import Offer, Share
from seatrial.load.settled import Settled, Stretch
from seatrial.load.spooltexts import coded, divided, used_in
from seatrial.model.generatoraudit import GeneratorAudit
from seatrial.model.ownfailure import KILLED
from seatrial.model.problems import BadInput, SeatrialError
from seatrial.model.requestlog import TEXTS, Coded, Holds, RequestLog, names_of
from seatrial.model.rowkeys import Keys
from seatrial.model.scenarioaccount import BlockingCall, ScenarioAccount, ScenarioError

MAGIC = b"seatrial spool 1\n"
HEADER, TEXT, ROWS, SCENARIO, OFFER, END = b"H", b"T", b"R", b"S", b"O", b"E"
SETTLED = b"\0"  # a hole: what was here is Parquet now (`settled`)
CANNOT_WRITE = 74  # EX_IOERR of sysexits.h: the exit code of a generator whose spool the disk did not take
ARRIVAL = "arrival"  # the name of one that never came to a request

_FRAME = struct.Struct("<cII")
_COUNTS = struct.Struct("<II")
# What is kept of each row, and how: the widest first. A key is the length of its UTF-8 plus 1, 0 for null;
# the worker is the whole spool's.
_PACKED = {Holds.SECONDS: "d", Holds.CODED: "I", Holds.STATUS: "h", Holds.TEXT: "H", Holds.TRUTH: "?"}
_SPOOLED = tuple((name, _PACKED[kind]) for kind in _PACKED for name in names_of(kind) if name != "worker")
_OUTSTANDING = tuple(each for each in _SPOOLED if each[0] in ("intended", "sent", "name"))


def _record(fields: tuple[tuple[str, str], ...]) -> struct.Struct:
    return struct.Struct("<" + "".join(code for _, code in fields))


def _type(fields: tuple[tuple[str, str], ...]) -> np.dtype[np.void]:
    return np.dtype([(name, f"<{code}") for name, code in fields])


ROW, OUTSTANDING = _record(_SPOOLED), _record(_OUTSTANDING)
ROW_TYPE, _OUTSTANDING_TYPE = _type(_SPOOLED), _type(_OUTSTANDING)
ROW_ORDER = tuple(name for name, _ in _SPOOLED)  # in which ROW takes them
LONGEST_KEY = 0xFFFE


Rows = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class SpoolHeader:
    """What a spool begins with. Zero is the instant from which all of its rows count."""

    worker: str
    pid: int
    zero_monotonic_s: float  # CLOCK_MONOTONIC of this machine
    zero_unix_s: float  # the same instant by the wall clock
    offer: Offer
    share: Share
    deadline_s: float
    scenario: str
    host: str  # as it may be shown
    notices: tuple[str, ...] = ()  # what of the scenario means something else here, or nothing; a line each

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self) | {"offer": self.offer.plain()}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """What `to_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        plain: dict[str, Any] = json.loads(text)
        offer = Offer.of_plain(plain.pop("offer"))
        share, said = Share(**plain.pop("share")), tuple(plain.pop("notices", ()))
        return cls(offer=offer, share=share, notices=said, **plain)


def frame(kind: bytes, payload: bytes) -> bytes:
    """One frame."""
    return _FRAME.pack(kind, len(payload), zlib.crc32(payload)) + payload


def account_frame(account: ScenarioAccount) -> bytes:
    """A frame of what the scenario failed at."""
    return frame(SCENARIO, json.dumps(asdict(account)).encode())


def read_account(payload: bytes | str) -> ScenarioAccount:
    """What `account_frame` wrote."""
    plain = json.loads(payload)
    blocking = tuple(BlockingCall(**each) for each in plain.get("blocking", ()))
    return ScenarioAccount(
        plain["arrivals"], tuple(ScenarioError(**each) for each in plain["errors"]), blocking
    )


def rows_frame(rows: bytes | bytearray, outstanding: bytes, keys: bytes | bytearray) -> bytes:
    """A frame of packed `ROW` and `OUTSTANDING` records."""
    counts = _COUNTS.pack(len(rows) // ROW.size, len(outstanding) // OUTSTANDING.size)
    return frame(ROWS, b"".join((counts, rows, outstanding, keys)))


class SpoolReader:
    """Reads a spool, once or as it grows.

    `header` is None until the worker has announced its time zero, `audit` until it has ended in good order.
    `scenario` is what the scenario has failed at so far. `offer` is what is offered, and None as well while a
    rate of requests has not become one of arrivals.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header: SpoolHeader | None = None
        self.audit: GeneratorAudit | None = None
        self.offer: Offer | None = None
        self.scenario = ScenarioAccount()
        self._offset = 0
        self._texts: list[str] = []
        self._outstanding: Rows = np.empty(0, dtype=_OUTSTANDING_TYPE)
        self._last_s = -np.inf  # the latest intended instant of all rows
        self._used: dict[str, set[int]] = {}  # which texts each column holds
        self._settled = Settled()
        self._rows = 0
        self._been = 0  # how far it had read before the last rewind

    @property
    def last_s(self) -> float:
        """The latest intended instant of all rows; -∞ without any."""
        return self._last_s

    def poll(self) -> RequestLog:
        """The rows that were added since the last poll; none while there is no file yet.

        Raises BadInput for a damaged spool, CannotStore when the disk does not give it.
        """
        return RequestLog.joined(list(self.parts(math.inf)))

    def parts(self, rows: float, until: float = math.inf) -> Iterator[RequestLog]:
        """What `poll` would give, so many rows or a flush more at a time; up to the place `until`.

        What came before damage is given before that is raised.
        """
        frames, count = _Frames(), 0
        trouble: SeatrialError | None = None
        try:
            with disk.storing("the request log", self.path):
                for found in self._new(until):
                    if isinstance(found, bytes):
                        count += frames.add(found)
                    if frames.rows and (count >= rows or not isinstance(found, bytes)):
                        yield self._taken_in(frames)
                        frames, count = _Frames(), 0
                    if not isinstance(found, bytes):
                        yield found
        except SeatrialError as error:
            trouble = error
        if frames.rows:
            yield self._taken_in(frames)
        if trouble is not None:
            raise trouble

    def rewind(self) -> None:
        """Read from the beginning again. What is known beside the rows stays known."""
        self._been = max(self._been, self._offset)
        self._offset, self._last_s = 0, -np.inf
        self._texts, self._outstanding = [], np.empty(0, dtype=_OUTSTANDING_TYPE)
        self._used, self._rows = {}, 0

    @property
    def rows(self) -> int:
        """How many have been read since the beginning."""
        return self._rows

    def skip_settled(self) -> Settled:
        """Go on behind what is settled, or behind the header; what that is. For a reader that is new."""
        with self.path.open("rb") as file:
            if self._read_magic(file) and (found := self._read_frame(file)):
                self._take(*found)
        if self._settled.stretches:
            self._take_known(self._settled)
            self._offset, self._rows = self._settled.stop, self._settled.rows
        return self._settled

    def known(self) -> Settled:
        """What whoever goes on from here must know."""
        return Settled(
            texts=tuple(self._texts),
            used={name: sorted(codes) for name, codes in self._used.items()},
            last_s=self._last_s,
            outstanding=self._outstanding.tobytes().hex(),
            offer=self.offer.plain() if self.offer else None,
            scenario=json.dumps(asdict(self.scenario)),
        )

    @property
    def texts(self) -> RequestLog:
        """No row, but the texts of all that have been read since the beginning, in the order of the spool."""
        if not self._used:
            return RequestLog.empty()
        none: npt.NDArray[np.int32] = np.empty(0, dtype=np.int32)
        columns: dict[str, Any] = {
            name: Coded(none, tuple(self._texts[code] for code in sorted(codes)))
            for name, codes in self._used.items()
        }
        columns["name"], columns["tenant"] = divided(columns["name"])
        return replace(self._log(np.empty(0, dtype=ROW_TYPE), None), **columns)

    @property
    def place(self) -> int:
        """How many bytes of the spool have been read."""
        return self._offset

    def unaccounted(
        self, until_s: float = -np.inf, lost: bool = False, offer: Offer | None = None
    ) -> RequestLog:
        """What a worker that is known to be gone, and did not end in good order, has left open.

        `lost`: it has ended in good order before its time. `offer`: what all offer, where that is known from
        others; it may have ended before it heard of it.

        The requests in flight at its last flush: they were sent and nobody knows how they ended. And its
        arrivals after that and before `until_s`: they were due and nobody knows whether they were sent.
        """
        if self.header is None or (self.audit is not None and not lost):
            return RequestLog.empty()
        offer = offer or self.offer
        arrivals = offer.arrivals([1.0], self.header.share) if offer else ()
        due = takewhile(lambda at_s: at_s < until_s, (at_s for at_s, _ in arrivals))
        never_sent = np.fromiter((at_s for at_s in due if at_s > self._last_s), np.float64)
        texts = [*self._texts, "", KILLED, ARRIVAL]
        rows = np.zeros(self._outstanding.size + never_sent.size, dtype=ROW_TYPE)
        rows["ended"], rows["served_by"], rows["error"] = np.nan, len(texts) - 3, len(texts) - 2
        sent, unsent = rows[: self._outstanding.size], rows[self._outstanding.size :]
        for column, _ in _OUTSTANDING:
            sent[column] = self._outstanding[column]
        unsent["intended"], unsent["sent"], unsent["name"] = never_sent, np.nan, len(texts) - 1
        return self._log(rows, None, texts)

    def _new(self, until: float) -> Iterator[bytes | RequestLog]:
        """Row frames as they come, and the rows of stretches that are settled."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            if self._offset == 0 and not self._read_magic(file):
                return
            file.seek(self._offset)
            while self._offset < until:
                if (stretch := self._settled.holding(self._offset)) is not None:
                    yield self._rows_of(stretch)
                    file.seek(self._offset)
                elif (found := self._read_frame(file)) is None:
                    return
                elif found[0] == ROWS:
                    self._rows += int(_COUNTS.unpack_from(found[1])[0])
                    yield found[1]
                elif found[0] != SETTLED:
                    self._take(*found)

    def _rows_of(self, stretch: Stretch) -> RequestLog:
        """Those that have not been read before they were settled."""
        rows = settled.read(self.path, stretch)[self._rows - stretch.first :]
        self._take_known(self._settled)
        self._offset, self._rows = stretch.stop, stretch.first + stretch.rows
        return rows

    def _take_known(self, known: Settled) -> None:
        self._texts = list(known.texts)
        for name, codes in (known.used or {}).items():
            self._used.setdefault(name, set()).update(codes)
        self._last_s = max(self._last_s, known.last_s)
        self._outstanding = np.frombuffer(bytes.fromhex(known.outstanding), _OUTSTANDING_TYPE)
        if known.stop <= self._been:
            return
        self.offer = Offer.of_plain(known.offer) if known.offer else self.offer
        self.scenario = read_account(known.scenario) if known.scenario else self.scenario

    def _read_magic(self, file: BinaryIO) -> bool:
        magic = file.read(len(MAGIC))
        if not MAGIC.startswith(magic):
            raise BadInput(f"{self.path}: is not a spool of seatrial")
        complete = len(magic) == len(MAGIC)
        if complete:
            self._offset, self._settled = len(magic), Settled.of(self.path)
        return complete

    def _read_frame(self, file: BinaryIO) -> tuple[bytes, bytes] | None:
        head = file.read(_FRAME.size)
        if len(head) < _FRAME.size:
            return None
        kind, length, checksum = _FRAME.unpack(head)
        payload = file.read(length)
        if len(payload) < length:
            return None
        if kind == SETTLED or zlib.crc32(payload) != checksum:
            return self._settled_meanwhile()
        self._offset += _FRAME.size + length
        return kind, payload

    def _settled_meanwhile(self) -> tuple[bytes, bytes]:
        """What was here has become part of a stretch. Raises BadInput unless it has."""
        self._settled = Settled.of(self.path)
        if self._settled.holding(self._offset) is None:
            raise BadInput(f"{self.path}: is damaged at byte {self._offset}: the checksum does not match")
        return SETTLED, b""

    def _take(self, kind: bytes, payload: bytes) -> None:
        if kind == TEXT:
            self._texts.append(payload.decode())
        elif self._offset <= self._been:
            pass  # told a second time: what counts is the last that was told
        elif kind == HEADER:
            self.header = SpoolHeader.from_json(payload)
            self.offer = self.header.offer if self.header.offer.counts == "arrivals" else None
        elif kind == OFFER:
            self.offer = Offer.of_plain(json.loads(payload))
        elif kind == SCENARIO:
            self.scenario = read_account(payload)
        elif kind == END:
            self.audit = GeneratorAudit(**json.loads(payload))

    def _taken_in(self, frames: _Frames) -> RequestLog:
        rows = np.frombuffer(b"".join(frames.rows), ROW_TYPE)
        in_flight = np.frombuffer(b"".join(frames.outstanding), _OUTSTANDING_TYPE)
        self._outstanding = np.frombuffer(frames.outstanding[-1], _OUTSTANDING_TYPE)
        for table in (rows, in_flight):
            self._last_s = max(self._last_s, float(table["intended"].max(initial=-np.inf)))
        for name in (each for each in TEXTS if each in ROW_ORDER and len(rows)):
            self._used.setdefault(name, set()).update(used_in(rows[name], len(self._texts)).tolist())
        keys = b"".join(frames.keys)
        return self._log(rows, Keys.packed(rows["key"], keys) if keys or rows["key"].any() else None)

    def _log(self, rows: Rows, keys: Keys | None, texts: Sequence[str] | None = None) -> RequestLog:
        texts = self._texts if texts is None else texts
        worker = self.header.worker if self.header else ""
        plain = names_of(Holds.SECONDS, Holds.TRUTH, Holds.STATUS)
        columns: dict[str, Any] = {name: np.ascontiguousarray(rows[name]) for name in plain}
        columns |= {name: coded(rows[name], texts) for name in TEXTS if name in ROW_ORDER}
        columns["name"], columns["tenant"] = divided(columns["name"])
        return RequestLog(worker=Coded(np.zeros(len(rows), dtype=np.int32), (worker,)), keys=keys, **columns)


class _Frames:
    """The pieces of frames of rows. Each frame has a few dozen: arrays are made of many frames at once."""

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.outstanding: list[bytes] = []
        self.keys: list[bytes] = []

    def add(self, payload: bytes) -> int:
        """Take a frame apart; how many rows it holds."""
        count, outstanding = _COUNTS.unpack_from(payload)
        first = _COUNTS.size + count * ROW.size
        last = first + outstanding * OUTSTANDING.size
        self.rows.append(payload[_COUNTS.size : first])
        self.outstanding.append(payload[first:last])
        self.keys.append(payload[last:])
        return int(count)
