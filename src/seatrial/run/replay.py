"""The arrivals of an access log, made ready to be offered again.

    log ─importer─► requests ─methods, paths─► who is sent ─speed, times─► instants and rows
                                                                              │
                                  replay.npy, replay.csv in the evidence  ◄───┘

A log that writes whole seconds says of a hundred requests that they came in the same one. Sent at once they
would be a burst that never was, so requests of one instant are spread evenly over what the clock of the log
cannot tell apart. What the log cannot tell, and what was left out of it, is told with the run.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from seatrial.files import Source, find, missing
from seatrial.load.dataset import DataFile
from seatrial.measure.importers import read
from seatrial.measure.importers.importer import Imported, Told
from seatrial.measure.importers.lined import name_of
from seatrial.model.arrivals import RateStep
from seatrial.model.experiment import Experiment
from seatrial.model.figures import span
from seatrial.model.problems import BadInput, Problems
from seatrial.model.quantities import Rate
from seatrial.model.replay import Replay
from seatrial.model.requestlog import Floats
from seatrial.run.evidence import Evidence

_PLACE = ("load", "replay")
_COLUMNS = ("method", "path", "name", "status")
_FORMATS = ("auto", "haproxy", "access")
_INSTANTS, _ROWS = "replay.npy", "replay.csv"
_MOST = 5_000_000  # requests, which are held in memory

Row = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What is offered: when, in seconds after the end of the warm-up and ascending, and what of each.

    `length_s`: of warm-up and duration together. `left_out`: why requests of the log are not sent, and how
    many. `sha256`: of the log.
    """

    log: str
    sha256: str
    format: str
    instants: Floats = field(repr=False)
    rows: Sequence[Row] = field(repr=False)
    length_s: float
    left_out: tuple[tuple[str, int], ...] = ()
    said: tuple[str, ...] = ()

    @property
    def rate(self) -> RateStep:
        """The mean rate, for whoever has to know how much it is about."""
        return RateStep(0.0, Rate(len(self.instants) / self.length_s, 1.0))

    def told(self) -> Iterator[str]:
        """What a reader of the run must know, a line each."""
        yield f"arrivals are those of {self.log} ({self.format}): {len(self.instants):,} requests"
        if self.left_out:
            yield f"left out of it: {', '.join(f'{count:,} {why}' for why, count in self.left_out)}"
        yield from self.said

    def write(self, evidence: Evidence) -> None:
        """Put down what the generator is given. Raises CannotStore."""
        whole = io.BytesIO()
        np.save(whole, self.instants, allow_pickle=False)
        evidence.write_bytes(_INSTANTS, whole.getvalue())
        evidence.write_bytes(_ROWS, self._csv())

    def instants_in(self, evidence: Evidence) -> Path:
        """Where `write` has put the instants."""
        return evidence.path(_INSTANTS)

    def data_in(self, evidence: Evidence) -> DataFile:
        """The rows as `write` has put them down: one for each arrival, in order."""
        digest = hashlib.sha256(self._csv()).hexdigest()
        return DataFile(evidence.path(_ROWS), "unique", digest, len(self.rows), _COLUMNS)

    def _csv(self) -> bytes:
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(self.rows)
        return lines.getvalue().encode()


def bind_replay(promised: Experiment | None, experiment: Source, problems: Problems) -> Replayed | None:
    """The log that is replayed, read; None without one. What is wrong with it goes to `problems`."""
    replay = promised.load.replay if promised else None
    if promised is None or replay is None:
        return None
    document = experiment.document
    named = (*_PLACE, "log") if document.has((*_PLACE, "log")) else _PLACE
    path = find(replay.log, experiment.path)
    if path is None:
        problems.add(document.problem(named, missing(replay.log, experiment.path)))
        return None
    if replay.format not in _FORMATS:
        told = f"'{replay.format}' is no log of a server that is replayed: {', '.join(_FORMATS)}"
        problems.add(document.problem((*_PLACE, "format"), told))
        return None
    lengths = promised.warmup.seconds, promised.duration.seconds
    try:
        found = read(path, replay.format, Told(log_format=replay.log_format, whole=True))
        return replayed(found, replay, path, *lengths)
    except BadInput as error:
        problems.add(
            *(each if each.location else document.problem(named, each.message) for each in error.problems)
        )
    return None


def replayed(found: Imported, replay: Replay, path: Path, warmup_s: float, duration_s: float) -> Replayed:
    """What is offered of a log that was read. Raises BadInput when that is nothing, or too short."""
    if found.format not in _FORMATS:
        raise BadInput(
            f"{replay.log}: a log of {found.format} has no requests to replay; one of a server has"
        )
    log = found.log
    kinds = [_request(text, replay.methods) for text in log.name.values]
    codes = log.name.codes
    sent = np.array([isinstance(kind, tuple) for kind in kinds])[codes] & ~np.isnan(log.sent)
    left_out = Counter(kind for code in codes[~sent].tolist() if isinstance(kind := kinds[code], str))
    chosen = np.flatnonzero(sent)
    if not len(chosen):
        told = ", ".join(f"{count:,} {why}" for why, count in left_out.most_common())
        raise BadInput(f"{replay.log}: none of its requests is sent: {told}")
    order = chosen[np.argsort(log.sent[chosen], kind="stable")]
    at_s = spread(log.sent[order], found.exact.sent_early_s + found.exact.sent_late_s)
    at_s = (at_s - at_s[0]) / replay.speed
    copies = copied(len(order), replay.times)
    _require_length(at_s, int(copies.sum()), warmup_s + duration_s, replay)
    until = int(np.searchsorted(at_s, warmup_s + duration_s))
    gaps, at_s, copies = np.diff(at_s, append=at_s[-1])[:until], at_s[:until], copies[:until]
    if (wanted := int(copies.sum())) > _MOST:  # before there is an array of so many
        raise BadInput(
            f"{replay.log}: {wanted:,} requests are more than the {_MOST:,} that are replayed at once"
        )
    instants = np.sort(np.repeat(at_s, copies) + _between(gaps, copies)) - warmup_s
    kept = int(np.searchsorted(instants, duration_s))
    if not kept or instants[kept - 1] < 0:
        raise BadInput(
            f"{replay.log}: none of its requests comes in the {span(duration_s)} that are measured, after a "
            f"warm-up of {span(warmup_s)}; change either, or replay another part of the log"
        )
    requests = np.repeat(order[:until], copies)[:kept]
    status = np.nan_to_num(log.status[requests]).astype(int).tolist()
    rows = [(*kinds[code], str(state)) for code, state in zip(codes[requests].tolist(), status, strict=True)]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    said = tuple(_said(found))
    return Replayed(
        log=replay.log,
        sha256=digest,
        format=found.format,
        instants=instants[:kept],
        rows=rows,
        length_s=warmup_s + duration_s,
        left_out=tuple(left_out.most_common()),
        said=said,
    )


def spread(at_s: Floats, resolution_s: float) -> Floats:
    """Ascending instants of a clock with this resolution, those of one instant spread evenly over it."""
    _, first, counts = np.unique(at_s, return_index=True, return_counts=True)
    place = np.arange(len(at_s)) - np.repeat(first, counts)
    return np.sort(at_s + resolution_s * place / np.repeat(counts, counts))


def copied(size: int, times: float) -> npt.NDArray[np.intp]:
    """How often each of `size` requests is sent, so that so many times as many are, evenly over all."""
    until = np.floor(np.arange(size + 1) * times + 1e-9).astype(np.intp)
    return np.asarray(np.diff(until))


def _between(gaps: Floats, copies: npt.NDArray[np.intp]) -> Floats:
    """How much later each copy comes than its request, so that copies are spread until the next one."""
    number = np.arange(int(copies.sum())) - np.repeat(np.cumsum(copies) - copies, copies)
    return np.asarray(np.repeat(gaps, copies) * number / np.repeat(np.maximum(copies, 1), copies))


def _request(text: str, methods: Sequence[str]) -> tuple[str, str, str] | str:
    """Method, path and name of a request line, or why it is not sent. A host in it is not taken over."""
    words = text.split()
    if len(words) < 2:
        return "that are no requests"
    method, target = words[0], words[1]
    if method not in methods:
        return f"{method[:20]}" if method.isalpha() else "that are no requests"
    try:
        parts = urlsplit(target if target.startswith(("http://", "https://")) else f"//-{_rooted(target)}")
    except ValueError:
        return "that are no requests"
    path = _rooted(parts.path or "/")
    if not path.isascii() or not path.isprintable():
        return "with a path that cannot be sent"
    query = f"?{parts.query}" if parts.query else ""
    return method, path + query, name_of(f"{method} {path}")


def _rooted(path: str) -> str:
    """With one slash before it: after two of them stands a host."""
    return "/" + path.lstrip("/\\")


def _require_length(at_s: Floats, count: int, wanted_s: float, replay: Replay) -> None:
    length_s = float(at_s[-1] - at_s[0])
    gap_s = length_s / max(count - 1, 1)
    if length_s + max(gap_s, 1.0 / replay.speed) < wanted_s and math.isfinite(wanted_s):
        lasts = f"{replay.log}: its requests last for {span(length_s)}"
        raise BadInput(f"{lasts}, and warm-up and duration for {span(wanted_s)}")


def _said(found: Imported) -> Iterator[str]:
    """What the log cannot tell of when requests came."""
    exact = found.exact
    if not exact.begins:
        yield "the log tells when requests ended and not how long they took: each comes when it ended then"
    if exact.sent_s >= 1:
        yield "the log's instants are whole seconds: the requests of one are spread evenly over it"
