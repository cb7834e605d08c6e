"""A load worker whose clock is elsewhere and drifts: `python -m tests.support.drifting_worker AHEAD PPM …`.

What follows are Locust's own words. The clock is planted where the worker reads it and where it sets alarms
by it; everything else of the process is as ever. (A time namespace shifts a clock and cannot make it drift.)
"""

from __future__ import annotations

import sys
import time

from locust.main import main  # first: it replaces the sockets of the standard library with gevent's

from seatrial.load import alarm, far_worker, hooks

_real = time.monotonic
_began_s = _real()


def _plant(ahead_s: float, drift: float) -> None:
    def shown() -> float:
        real_s = _real()
        return real_s + ahead_s + drift * (real_s - _began_s)

    def really(shown_s: float) -> float:
        return (shown_s - ahead_s + drift * _began_s) / (1 + drift)

    time.monotonic = shown
    far_worker.monotonic_clock_id = lambda: "another"  # type: ignore[attr-defined]
    for timer in (alarm._LibcTimer, alarm._OsTimer):
        _set_by(timer, really)


def _set_by(timer: type, really: object) -> None:
    as_ever = timer.set  # type: ignore[attr-defined]
    timer.set = lambda self, at_s: as_ever(self, really(at_s))  # type: ignore[attr-defined,operator]


if __name__ == "__main__":
    _plant(float(sys.argv[1]), float(sys.argv[2]) * 1e-6)
    sys.argv[1:3] = []
    hooks.register()
    main()
