"""Plants outages of known length in a local server, measures them with the real load generator, and compares.

    plan ──► server process ──────────── truth.jsonl ──┐
               ▲ HTTP on loopback                      ├──► scoring ──► Calibration
             load generator ── request log ── measure ─┘

Both write instants of one machine's CLOCK_MONOTONIC, so nothing has to be synchronised.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from seatrial.calibrate import truth as truths
from seatrial.calibrate.plan import CONTROL_S, CalibrationPlan, plan
from seatrial.calibrate.record import Calibration, trials_json
from seatrial.calibrate.scoring import Scorer, scores
from seatrial.calibrate.server import LOCAL
from seatrial.calibrate.surroundings import machine, versions
from seatrial.calibrate.truth import Truth
from seatrial.load.launch import LoadPlan, LoadProcess, launch
from seatrial.measure import downtime, measure, trusted
from seatrial.measure.completions import Completions
from seatrial.model.arrivals import RateStep
from seatrial.model.problems import Unavailable
from seatrial.model.quantities import Rate
from seatrial.model.requestlog import RequestLog
from seatrial.waiting import wait_until

SCENARIO = Path(__file__).with_name("scenario.py")
_JOURNAL = "truth.jsonl"
_POLL_S = 0.1
_START_WITHIN_S = 30.0
_END_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    """What is planted and how it is measured, in seconds. A short deadline keeps its effects small."""

    deadline_s: float = 1.0
    settle_s: float = 1.0
    warmup_s: float = 2.0
    shortest_s: float = 0.05
    longest_s: float = 5.0


def calibrate(
    rate: Rate,
    outages: int,
    seed: int,
    directory: Path,
    progress: Callable[[float, float], None],
    *,
    now: Callable[[], datetime],
    settings: CalibrationSettings = CalibrationSettings(),
) -> Calibration:
    """Plant `outages` of all kinds at `rate`, and say how well they were measured.

    It takes about 2.6 s an outage. `directory` gets the request log, the truth and every single trial;
    `progress` is called with the seconds done and to be done; `now` tells the wall clock, UTC. Raises
    Unavailable when the server or the load generator does not work.
    """
    directory.mkdir(parents=True, exist_ok=True)
    planned = plan(
        outages,
        seed,
        settle_s=settings.settle_s,
        interval_s=rate.interval_s,
        shortest_s=settings.shortest_s,
        longest_s=settings.longest_s,
    )
    measured_at = now().isoformat(timespec="seconds")
    log, found, zero_s = _drive(rate, planned, seed, directory, progress, settings)
    measurement = measure(log, settings.deadline_s, settings.settle_s)
    scorer = Scorer(
        outages=measurement.outages,
        completions=Completions.of(log),
        zero_s=zero_s,
        interval_s=rate.interval_s,
        deadline_s=settings.deadline_s,
        margin_s=planned.margin_s,
    )
    trials = tuple(scorer.trial(truth) for truth in found)
    (directory / "trials.jsonl").write_text(trials_json(trials))
    control = downtime(log, 0.0, CONTROL_S - planned.margin_s, settings.deadline_s, settings.settle_s)
    return Calibration(
        measured_at=measured_at,
        rate=str(rate),
        interval_s=rate.interval_s,
        deadline_s=settings.deadline_s,
        settle_s=settings.settle_s,
        seed=seed,
        planted=len(trials),
        covered=sum(trial.covered for trial in trials),
        kinds=scores(trials, rate.interval_s),
        control_s=CONTROL_S,
        control_outages=sum(outage.start_s < CONTROL_S - planned.margin_s for outage in measurement.outages),
        control_upper_s=control.upper_s,
        unexplained=scorer.unexplained(found),
        generator=measurement.generator,
        doubt=trusted(measurement.generator, rate.interval_s, deadline_s=settings.deadline_s),
        machine=machine(),
        versions=versions(),
    )


def _drive(
    rate: Rate,
    planned: CalibrationPlan,
    seed: int,
    directory: Path,
    progress: Callable[[float, float], None],
    settings: CalibrationSettings,
) -> tuple[RequestLog, list[Truth], float]:
    """Run server and load side by side: the log, the truth, and the log's zero on CLOCK_MONOTONIC."""
    journal = directory / _JOURNAL
    journal.write_text("")
    with _server(journal) as server:
        load = launch(
            LoadPlan(
                scenario=SCENARIO,
                host=f"http://127.0.0.1:{server.port}",
                shape=(RateStep(0.0, rate),),
                warmup_s=settings.warmup_s,
                duration_s=planned.duration_s,
                spacing="even",
                seed=seed,
                deadline_s=settings.deadline_s,
                directory=directory,
            )
        )
        try:
            zero_s = _zero(load)
            server.order(planned, zero_s)
            _watch(load, zero_s - settings.warmup_s, zero_s + planned.duration_s, progress)
            log = load.finish()
        except BaseException:
            load.stop(0.0)
            raise
    if reason := load.failure_reason():
        raise Unavailable(f"the load generator failed: {reason}")
    found = truths.read(journal)
    if len(found) != len(planned.outages):
        raise Unavailable(
            f"the calibration server planted {len(found)} of {len(planned.outages)} outages; "
            f"see {directory / 'server.log'}"
        )
    return log, found, zero_s


def _zero(load: LoadProcess) -> float:
    """The log's zero on CLOCK_MONOTONIC, as soon as the load generator has announced it."""
    wait_until(lambda: load.zero_monotonic_s is not None or load.poll() is not None, _START_WITHIN_S, _POLL_S)
    if (zero_s := load.zero_monotonic_s) is None:
        raise Unavailable(f"the load generator did not start: {load.failure_reason() or 'no sign of it'}")
    return zero_s


def _watch(load: LoadProcess, start_s: float, end_s: float, progress: Callable[[float, float], None]) -> None:
    """Tell how far the load is until its last arrival is due, or it has ended."""
    while load.poll() is None and (now_s := time.monotonic()) < end_s:
        progress(max(0.0, now_s - start_s), end_s - start_s)
        time.sleep(_POLL_S)


@dataclass(frozen=True, slots=True)
class _Server:
    """The calibration server's process, and where it listens."""

    process: subprocess.Popen[bytes]
    port: int

    def order(self, planned: CalibrationPlan, zero_s: float) -> None:
        """Tell it what to plant, in instants of CLOCK_MONOTONIC."""
        orders = [asdict(replace(outage, at_s=outage.at_s + zero_s)) for outage in planned.outages]
        assert self.process.stdin
        self.process.stdin.write(json.dumps(orders).encode() + b"\n")
        self.process.stdin.flush()


@contextmanager
def _server(journal: Path, host: str = LOCAL) -> Iterator[_Server]:
    """Start the server and end it: it ends itself when its standard input is closed, even by our death."""
    with (journal.parent / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "seatrial.calibrate.server", str(journal), host],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    assert process.stdin
    assert process.stdout
    try:
        hello = process.stdout.readline()
        if not hello:
            raise Unavailable(f"the calibration server did not start; see {log.name}")
        yield _Server(process, int(json.loads(hello)["port"]))
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
