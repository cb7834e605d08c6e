"""All spools of one test as one: a single process's, or those of workers on one machine or on many.

Beside the spools of workers with clocks of their own stands what their master has put on record of them. By
that their rows are moved to one clock, and the shares of those that were lost are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from seatrial.load.clocks import MOST_DOUBT_S, Told, moved
from seatrial.load.fleetrecord import RECORD, FleetReader, Loss
from seatrial.load.inorder import PART, Source, in_order
from seatrial.load.offer import Offer, Share
from seatrial.load.spool import SpoolHeader, SpoolReader
from seatrial.model.generatoraudit import GeneratorAudit
from seatrial.model.problems import SeatrialError
from seatrial.model.requestlog import RequestLog
from seatrial.model.scenarioaccount import ScenarioAccount


@dataclass(frozen=True, slots=True)
class Whole:
    """All that the spools of a test say."""

    log: RequestLog
    clocks: tuple[Told, ...]  # what is known of each clock that is not the master's
    troubles: tuple[SeatrialError, ...]  # why there are no more rows

    @property
    def spoiled(self) -> str:
        """The same as a sentence; "" when no spool is damaged."""
        return "; ".join(map(str, self.troubles))


class Spools:
    """Reads the spools in `folder`, once or as they grow."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._record = FleetReader(folder / RECORD)
        self.readers = [self._reader(0)]

    @property
    def path(self) -> Path:
        """The first of them."""
        return self.readers[0].path

    @property
    def header(self) -> SpoolHeader | None:
        """What the first of them begins with; its zero is the master's, where there is one."""
        found = next((reader.header for reader in self.readers if reader.header), None)
        if found is None or self._record.zero is None:
            return found
        monotonic_s, unix_s = self._record.zero
        return replace(found, zero_monotonic_s=monotonic_s, zero_unix_s=unix_s)

    @property
    def offer(self) -> Offer | None:
        """The arrivals of all workers; None until it is known."""
        told = (reader.offer for reader in self.readers if reader.offer)
        return self._record.offer or next(told, None)

    @property
    def audit(self) -> GeneratorAudit | None:
        """The account of the first, with the arrivals of all.

        None unless all have ended in good order, and none was lost.
        """
        audits = [reader.audit for reader in self.readers if reader.audit]
        if len(audits) < len(self.readers) or self._record.losses or self._cut_short():
            return None
        arrivals = [audit.arrivals for audit in audits if audit.arrivals is not None]
        return replace(audits[0], arrivals=sum(arrivals) if len(arrivals) == len(audits) else None)

    @property
    def scenario(self) -> ScenarioAccount:
        """What the scenario has failed at so far, in all of them."""
        accounts = [reader.scenario for reader in self.readers]
        if len(accounts) == 1:
            return accounts[0]
        errors = [error for account in accounts for error in account.errors]
        blocking = [call for account in accounts for call in account.blocking]
        return ScenarioAccount(
            sum(account.arrivals for account in accounts),
            tuple(sorted(errors, key=lambda error: -error.count)),
            tuple(sorted(blocking, key=lambda call: -call.longest_ms)),
        )

    @property
    def losses(self) -> tuple[str, ...]:
        """Workers that were lost, and what became of them, a sentence each."""
        told = self._cut_short() | {loss.index: self._told(loss) for loss in reversed(self._record.losses)}
        for index, (reader, _) in enumerate(zip(self.readers, self._record.members, strict=False)):
            if reader.audit is None and index not in told:
                told[index] = f"{self._named(index)} has not told its end"
        return tuple(told[index] for index in sorted(told))

    def _cut_short(self) -> dict[int, str]:
        """Workers that ended in good order, though before the end: somebody or the scenario stopped them."""
        offer, until_s = self.offer, self._record.ended_s
        if offer is None or until_s is None or not self._record.members:
            return {}
        if until_s < offer.duration_s:  # each has heard of it when it did, by a clock that is known so well
            until_s = max(until_s - MOST_DOUBT_S, 0.0)
        due = self._due_of_each(offer, until_s)
        counted = {index: reader.audit.arrivals for index, reader in enumerate(self.readers) if reader.audit}
        return {
            index: f"{self._named(index)} ended before its time: after {made:,} of {due[index]:,} arrivals"
            for index, made in counted.items()
            if made is not None and made < due[index]
        }

    def _due_of_each(self, offer: Offer, until_s: float) -> list[int]:
        """How many arrivals of the measured part each worker had to offer, with what it took over."""
        shares = [Share(index, len(self._record.members)) for index in range(len(self._record.members))]
        last = offer.number_at(until_s)
        due = [share.among(offer.number_at(0.0), last) for share in shares]
        for lost, heirs in self._record.heirs.items():
            first = offer.number_at(self._record.taken[lost])
            for place, heir in enumerate(heirs):
                due[heir] += shares[lost].part(place, len(heirs)).among(first, last)
        return due

    def poll(self) -> RequestLog:
        """The rows that were added. Raises BadInput for a damaged spool, CannotStore as the disk does."""
        return RequestLog.concat([rows for rows in self.parts() if len(rows)])

    def parts(self) -> Iterator[RequestLog]:
        """The same, not all of them at once."""
        self._look()
        for reader in self.readers:
            yield from reader.parts(PART)

    def whole(self) -> Whole:
        """All rows from the beginning, on the master's clock, by intended instant.

        With them what workers have left open that are gone (see `SpoolReader.unaccounted`): of one among
        several that is all of its share until the load of all was ended.
        """
        damaged: list[SeatrialError] = []
        try:
            self._look()
        except SeatrialError as error:
            damaged.append(error)
        clocks = _Clocks(self._record)
        spools = [
            Source.of_spool(reader, clocks.mover(index, reader)) for index, reader in enumerate(self.readers)
        ]
        left = [
            Source.of_rows(clocks.moved(index, reader, rows))
            for index, (reader, rows) in enumerate(zip(self.readers, self._left_open(), strict=True))
        ]
        troubles = (*damaged, *(source.trouble for source in spools if source.trouble))
        pairs = zip(spools, left, strict=True)
        log = in_order([source for pair in pairs for source in pair], [*spools, *left])
        return Whole(log, tuple(told for _, told in sorted(clocks.told.items())), troubles)

    def _left_open(self) -> list[RequestLog]:
        """What workers have left open that are gone, of each."""
        if not self._record.members:
            return [reader.unaccounted() for reader in self.readers]
        until_s = self._record.ended_s
        if until_s is None:  # the master is gone as well
            until_s = max(reader.last_s for reader in self.readers)
        lost = {loss.index for loss in self._record.losses} | self._cut_short().keys()
        # What was taken over is on the record of the others, unless they were lost in turn.
        taken = self._record.taken if len(lost) == 1 else {}
        return [
            reader.unaccounted(min(until_s, taken.get(index, until_s)), index in lost, self.offer)
            for index, reader in enumerate(self.readers)
        ]

    def _look(self) -> None:
        try:
            self._record.poll()
        finally:
            known = range(len(self.readers), len(self._record.members))
            self.readers += [self._reader(index) for index in known]

    def _reader(self, index: int) -> SpoolReader:
        return SpoolReader(self._folder / f"worker-{index}.spool")

    def _named(self, index: int) -> str:
        return f"load worker {index} ({self._record.members[index].name})"

    def _told(self, loss: Loss) -> str:
        back = self._record.again.get(loss.index)
        heard = "" if back is None else f", and heard again at {back:.1f} s"
        return f"{self._named(loss.index)} was lost at {loss.at_s:.1f} s: {loss.why}{heard}"


class _Clocks:
    """Moves rows to the master's clock, and remembers what is known of the clock that they were moved by."""

    def __init__(self, record: FleetReader) -> None:
        self._record = record
        self.told: dict[int, Told] = {}

    def mover(self, index: int, reader: SpoolReader) -> Callable[[RequestLog], RequestLog] | None:
        """What moves the rows of a worker; None if its clock is the master's."""
        if self._record.zero is None or self._record.members[index].same_clock:
            return None
        return lambda rows: self.moved(index, reader, rows)

    def moved(self, index: int, reader: SpoolReader, rows: RequestLog) -> RequestLog:
        """Rows of a worker, as they count on the master's clock."""
        zero = self._record.zero
        if zero is None or reader.header is None or self._record.members[index].same_clock:
            return rows
        there_s, clock = reader.header.zero_monotonic_s, self._record.clock(index)
        rows, said = moved(rows, clock, there_s, zero[0], str(index))
        known = self.told.get(index, said)
        doubts = [each.doubt_s for each in (known, said) if each.doubt_s is not None]
        self.told[index] = replace(said, doubt_s=max(doubts, default=None))
        return rows
