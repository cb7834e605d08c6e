"""A run that cannot fit is not started; one that may is."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.model.arrivals import ArrivalSchedule, RateStep
from seatrial.model.problems import CannotStore
from seatrial.model.quantities import Rate
from seatrial.run.room import arrivals, require_room

SHAPE = (RateStep(0.0, Rate(100, 1.0)), RateStep(2.0, Rate(0, 1.0)), RateStep(3.0, Rate(500, 1.0)))


def test_arrivals_are_the_integral_of_the_rate() -> None:
    assert arrivals(SHAPE, 0.5, 5.0) == 50 + 200 + 1000
    assert arrivals(SHAPE, 0.0, 1.5) == 150
    assert arrivals(SHAPE, 0.0, 5.0) == pytest.approx(len(ArrivalSchedule(SHAPE, 5.0).instants()), abs=1)


@pytest.mark.parametrize(("free_mib", "fits"), [(100, True), (59, True), (58, False), (0, False)])
def test_room_is_wanted_for_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mib: int, fits: bool
) -> None:
    """In the spool 524,288 rows of 41 bytes and 675,712 settled ones of 17, and 17 a row of the log: 50.9 MiB.

    The end of a run and the state are 8 MiB more here.
    """
    monkeypatch.setattr("seatrial.disk.free_bytes", lambda _: free_mib << 20)
    shape = (RateStep(0.0, Rate(10_000, 1.0)),)
    if fits:
        require_room(shape, 0.0, 120.0, tmp_path / "runs" / "x", tmp_path / "home")
    else:
        with pytest.raises(CannotStore, match=r"1,200,000 arrivals .* 58\.9 MiB .* free.*--out") as caught:
            require_room(shape, 0.0, 120.0, tmp_path / "runs" / "x", tmp_path / "home")
        assert caught.value.exit_code == 2
