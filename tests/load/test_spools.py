"""The spools of a test's workers as one log, on one clock, with the shares of those that were lost."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seatrial.load.clocks import RoundTrip
from seatrial.load.correction import corrected_by, sounding
from seatrial.load.fleetrecord import RECORD, FleetReader, FleetRecord, Loss, Member
from seatrial.load.offer import Offer, Share
from seatrial.load.recorder import Recorder
from seatrial.load.spool import SpoolHeader
from seatrial.load.spools import Spools
from seatrial.model.arrivals import RateStep
from seatrial.model.ownfailure import KILLED
from seatrial.model.problems import BadInput
from seatrial.model.quantities import Rate
from seatrial.model.requestlog import Floats
from seatrial.model.requestsize import RequestsPerArrival

OFFER = Offer((RateStep(0.0, Rate(10, 1.0)),), "even", 5, 0.0, 2.0)
ZERO_S = 500.0


class Run:
    """Two workers, the second with a clock that is 7 s ahead and 10 ms off what it was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = FleetRecord(folder)
        self.record.begin(ZERO_S, 1.7e9, [Member("here", same_clock=True), Member("there")])
        for at_s in (ZERO_S, ZERO_S + 1, ZERO_S + 2):
            self.record.trip(1, RoundTrip(at_s, at_s + 7.001, at_s + 0.002))

    def write(
        self,
        index: int,
        zero_s: float,
        due: list[float],
        ended: bool = True,
        offer: Offer = OFFER,
        arrivals: int | None = None,
    ) -> None:
        header = SpoolHeader(
            str(index), 1, zero_s, 1.7e9, offer, Share(index, 2), 1.0, "scenario.py", "http://here"
        )
        recorder = Recorder(self.folder / f"worker-{index}.spool", header)
        for at_s in due:
            recorder.add(at_s, at_s, at_s + 0.01, True, 200, "GET /", "", "")
        recorder.flush()
        if ended:
            recorder.close(arrivals=arrivals)


def left_open(spools: Spools) -> Floats:
    """When the arrivals were due that those who were lost have left."""
    log = spools.whole().log
    return log.intended[log.error.equals(KILLED)]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "spool")


def test_rows_of_another_clock_are_moved(run: Run) -> None:
    run.write(0, ZERO_S, [0.0, 0.2, 0.4])
    run.write(1, ZERO_S + 7.01, [0.1, 0.3])
    spools = Spools(run.folder)
    whole = spools.whole()
    log, told = whole.log, whole.clocks
    assert whole.spoiled == ""
    assert spools.header is not None
    assert spools.header.zero_monotonic_s == ZERO_S
    assert spools.losses == ()
    assert spools.audit is not None
    assert log.intended == pytest.approx([0.0, 0.11, 0.2, 0.31, 0.4], abs=1e-5)
    assert [each.worker for each in told] == ["1"]
    assert told[0].ahead_s == pytest.approx(7.0, abs=1e-6)
    assert told[0].doubt_s == pytest.approx(0.001, abs=0.0005)


def test_the_share_of_a_lost_worker_is_on_record(run: Run) -> None:
    run.write(0, ZERO_S, [0.0, 0.2])
    run.write(1, ZERO_S + 7, [0.1], ended=False)
    run.record.lost(Loss(1, 0.15, "nothing was heard of it for 5 s"))
    run.record.ended(2.0)
    spools = Spools(run.folder)
    assert left_open(spools) == pytest.approx(np.arange(0.3, 2.0, 0.2), abs=1e-4)
    assert spools.audit is None
    assert spools.losses == ("load worker 1 (there) was lost at 0.1 s: nothing was heard of it for 5 s",)


def test_what_others_took_over_is_theirs_unless_they_were_lost_too(run: Run) -> None:
    run.write(0, ZERO_S, [0.0, 0.2], ended=True, arrivals=10 + 6)
    run.write(1, ZERO_S + 7, [0.1], ended=True)
    run.record.lost(Loss(1, 0.15, "it stopped"))
    run.record.taken_over(1, 0.8, [0])
    run.record.ended(2.0)
    spools = Spools(run.folder)
    assert left_open(spools) == pytest.approx([0.3, 0.5, 0.7], abs=1e-4)
    run.record.lost(Loss(0, 0.25, "it stopped"))
    assert len(left_open(Spools(run.folder))) == 9 + 8
    run.record.heard_again(1, 1.5)
    again = Spools(run.folder)
    again.poll()
    assert again.losses[1].endswith("it stopped, and heard again at 1.5 s")


def test_a_record_that_is_damaged_is_told_and_costs_no_row(run: Run) -> None:
    run.write(0, ZERO_S, [0.0, 0.2])
    run.write(1, ZERO_S + 7, [0.1, 0.3])
    with (run.folder / RECORD).open("ab") as record:
        record.write(b'{"trip":[1,50{"trip":[1,501.0,508.0,501.1]}\n')
    run.record.ended(2.0)
    spools = Spools(run.folder)
    for _ in range(2):  # and again whenever it is read: a loss may have stood there
        whole = spools.whole()
        assert len(whole.log) == 4
        assert "workers.jsonl: is damaged at byte" in whole.spoiled
        with pytest.raises(BadInput, match="is damaged at byte"):
            spools.poll()


def test_a_full_disk_leaves_no_half_line_in_the_record(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        run.record.trip(1, RoundTrip(ZERO_S + 3, ZERO_S + 10, ZERO_S + 3))
    monkeypatch.undo()
    run.record.ended(2.0)
    (record := FleetReader(run.folder / RECORD)).poll()
    assert record.ended_s == 2.0


def test_a_worker_that_has_not_told_its_end_is_lost(run: Run) -> None:
    run.write(0, ZERO_S, [0.0])
    spools = Spools(run.folder)
    assert len(spools.poll()) == 1
    assert spools.losses == ("load worker 1 (there) has not told its end",)


def test_a_worker_that_ended_before_its_time_is_lost(run: Run) -> None:
    """SIGTERM, or a scenario that ends its test: it tells its end in good order, and all its rows come."""
    run.write(0, ZERO_S, [each / 10 for each in range(0, 20, 2)], arrivals=10)
    run.write(1, ZERO_S + 7, [0.1, 0.3, 0.5], arrivals=3)
    run.record.ended(2.0)
    spools = Spools(run.folder)
    assert left_open(spools) == pytest.approx(np.arange(0.7, 2.0, 0.2), abs=1e-4)
    assert spools.audit is None
    assert spools.losses == ("load worker 1 (there) ended before its time: after 3 of 10 arrivals",)


def test_the_last_arrival_of_a_share_counts_also_where_shares_are_not_equal(run: Run) -> None:
    odd = replace(OFFER, duration_s=1.85, warmup_s=0.3)  # three before zero, so the second begins, and ends
    run.write(0, ZERO_S, [each / 10 for each in range(1, 19, 2)], arrivals=9, offer=odd)
    run.write(1, ZERO_S + 7, [each / 10 for each in range(0, 18, 2)], arrivals=9, offer=odd)
    run.record.ended(1.85)
    spools = Spools(run.folder)
    assert left_open(spools) == pytest.approx([1.8], abs=1e-4)
    assert spools.losses == ("load worker 1 (there) ended before its time: after 9 of 10 arrivals",)


def test_a_worker_that_ended_before_its_time_is_lost_whatever_the_rate_counts(run: Run) -> None:
    requests = replace(OFFER, counts="requests", warmup_s=1.0)
    corrected = corrected_by(sounding(requests), RequestsPerArrival(2.0, 0.0, 20))
    due = [[at_s for at_s, _ in corrected.arrivals([1.0], Share(index, 2)) if at_s >= 0] for index in (0, 1)]
    run.write(0, ZERO_S, due[0], arrivals=len(due[0]), offer=requests)
    run.write(1, ZERO_S + 7, due[1][:2], arrivals=2, offer=requests)
    run.record.offered(corrected)
    run.record.ended(2.0)
    assert left_open(Spools(run.folder)) == pytest.approx(due[1][2:], abs=1e-4)


def test_whoever_took_over_and_ended_before_its_time_is_lost_as_well(run: Run) -> None:
    """Its own share and more were offered, and yet not all that it had taken."""
    run.write(0, ZERO_S, [each / 10 for each in range(0, 20, 2)], arrivals=10 + 4)
    run.write(1, ZERO_S + 7, [0.1], ended=False)
    run.record.lost(Loss(1, 0.15, "nothing was heard of it for 5 s"))
    run.record.taken_over(1, 0.8, [0])
    run.record.ended(2.0)
    spools = Spools(run.folder)
    assert left_open(spools) == pytest.approx(np.arange(0.3, 2.0, 0.2), abs=1e-4)
    assert "load worker 0 (here) ended before its time: after 14 of 16 arrivals" in spools.losses


def test_all_may_end_before_their_time_where_the_load_was_ended(run: Run) -> None:
    run.write(0, ZERO_S, [each / 10 for each in range(0, 12, 2)], arrivals=6)
    run.write(1, ZERO_S + 7, [0.1, 0.3, 0.5, 0.7, 0.9], arrivals=5)
    run.record.ended(1.2)
    spools = Spools(run.folder)
    assert len(spools.poll()) == 11
    assert spools.losses == ()
    assert spools.audit is not None
    assert spools.audit.arrivals == 11, "of all: whoever conducts sees that it was over early"


def test_a_share_that_never_heard_of_its_rate_is_on_record_by_what_the_others_offered(run: Run) -> None:
    requests = replace(OFFER, counts="requests", warmup_s=1.0)
    found = RequestsPerArrival(2.0, 0.0, 20)
    corrected = corrected_by(sounding(requests), found)
    for index in range(2):
        run.write(
            index, ZERO_S + 7 * index, [-1.0] if index == 0 else [-0.9], ended=index == 0, offer=requests
        )
    run.record.lost(Loss(1, -0.5, "nothing was heard of it for 5 s"))
    run.record.offered(corrected)
    run.record.ended(2.0)
    spools = Spools(run.folder)
    due = [at_s for at_s, _ in corrected.arrivals([1.0], Share(1, 2))]
    assert left_open(spools) == pytest.approx([at_s for at_s in due if at_s > -0.9], abs=1e-4)
    assert spools.offer == corrected
