"""Workers whose clocks are apart: planted outages, and losses at random instants.

python -m tests.bench.bench_workers outages [OUTAGES] [SEED]
python -m tests.bench.bench_workers losses [RUNS] [SEED]
python -m tests.bench.bench_workers                          both, with a few of each

Four workers, their clocks ±200 ms off and drifting by ±100 ppm, behind ways to their master that take 5 to
40 ms each way, differently there and back, with jitter, and lose 2 % of packets. `outages`: each worker is in
a network namespace of its own (as root; else all are here, behind relays that hold and lose), and it is told
how many of the planted outages lie within the measured bounds, and how wide these are. `losses`: workers or
master are killed, stopped, cut off, or killed and started again at random instants; every arrival must be on
record as what it was, and none may pass.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tests.support.far_machines import FarMachines, far_machines, why_not
from tests.support.listeners import free_port
from tests.support.slow_relay import SlowRelay, Way, relaying

from seatrial.calibrate import truth as truths
from seatrial.calibrate.calibration import SCENARIO, _server
from seatrial.calibrate.plan import plan
from seatrial.calibrate.record import Trial
from seatrial.calibrate.scoring import Scorer
from seatrial.calibrate.server import LOCAL
from seatrial.load.clocks import exactness, unknown
from seatrial.load.launch import LoadPlan, LoadProcess, launch
from seatrial.load.trust import SECRET
from seatrial.measure import measure
from seatrial.measure.completions import Completions
from seatrial.measure.reach import widened
from seatrial.model.allow import LOOPBACK
from seatrial.model.arrivals import RateStep
from seatrial.model.ownfailure import KILLED
from seatrial.model.quantities import Rate
from seatrial.model.requestlog import RequestLog
from seatrial.model.workers import Workers
from seatrial.waiting import wait_until

CLOCKS = ((0.2, 100.0), (-0.2, -100.0), (0.2, -100.0), (-0.2, 100.0))  # seconds ahead, ppm
WAYS = (
    Way(0.005, 0.005, 0.002, 0.02),
    Way(0.040, 0.010, 0.005, 0.02),
    Way(0.010, 0.030, 0.005, 0.02),
    Way(0.020, 0.020, 0.010, 0.02),
)
KEY = "of-this-bench"
RATE = Rate(200, 1.0)
DEADLINE_S = 1.0
_WARMUP_S = 1.0
_COUNT = len(CLOCKS)


@dataclass
class Shared:
    """A load that is shared by workers on other clocks."""

    load: LoadProcess
    workers: list[subprocess.Popen[bytes]]
    relays: list[SlowRelay]
    meeting: int  # the port of the master


@contextlib.contextmanager
def shared(
    directory: Path,
    port: int,
    duration_s: float,
    seed: int,
    count: int = _COUNT,
    far: FarMachines | None = None,
) -> Iterator[Shared]:
    """Start it against a server of this machine, and leave nothing of it. `far`: where its workers are."""
    meeting = free_port()
    master, service = (far.master, far.service) if far else (LOCAL, LOCAL)
    with contextlib.ExitStack() as stack:
        load = launch(
            LoadPlan(
                scenario=SCENARIO,
                host=f"http://{service}:{port}",
                allow=(*LOOPBACK, service),
                shape=(RateStep(0.0, RATE),),
                warmup_s=_WARMUP_S,
                duration_s=duration_s,
                spacing="even",
                seed=seed,
                deadline_s=DEADLINE_S,
                directory=directory,
                workers=Workers(expected=count, listen=master, port=meeting, key=KEY),
            )
        )
        stack.callback(load.stop, 0.0)
        relays: list[SlowRelay] = []
        if far is None:
            relays = [
                stack.enter_context(relaying(meeting, WAYS[each], seed + each)) for each in range(count)
            ]
        started = Shared(load, [], relays, meeting)
        stack.callback(_end_all, started.workers)
        for each in range(count):
            started.workers.append(_joining(started, each, far))
        yield started


def _joining(started: Shared, number: int, far: FarMachines | None = None) -> subprocess.Popen[bytes]:
    """A worker on its way to the master."""
    ahead_s, ppm = CLOCKS[number]
    there = (far.master, started.meeting) if far else (LOCAL, started.relays[number].port)
    command = [*far.entering[number]] if far else []
    command += [sys.executable, "-m", "tests.support.drifting_worker", str(ahead_s), str(ppm)]
    command += ["-f", "-", "--worker", "--master-host", there[0], "--master-port", str(there[1])]
    return subprocess.Popen(
        command,
        env=os.environ | {SECRET: KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _zero_of(load: LoadProcess) -> float:
    """When zero is; workers of a busy machine take their time to come."""
    if not wait_until(lambda: load.zero_monotonic_s is not None or load.poll() is not None, 120.0):
        raise RuntimeError("the load does not start")
    if load.zero_monotonic_s is None:
        raise RuntimeError(load.failure_reason())
    return load.zero_monotonic_s


def _end(worker: subprocess.Popen[bytes]) -> None:
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def _end_all(workers: list[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        _end(worker)


def plant(
    outages: int, seed: int, directory: Path, far: FarMachines | None = None
) -> tuple[list[Trial], float, list[str]]:
    """What was measured of each outage, the doubt of the clocks, and what was said against the run."""
    planned = plan(outages, seed, settle_s=1.0, interval_s=RATE.interval_s, shortest_s=0.05, longest_s=2.0)
    journal = directory / "truth.jsonl"
    journal.write_text("")
    with (
        _server(journal, far.service if far else LOCAL) as server,
        shared(directory, server.port, planned.duration_s, seed, far=far) as started,
    ):
        zero_s = _zero_of(started.load)
        server.order(planned, zero_s)
        log, _ = started.load.collect()
        exact = exactness(started.load.clocks)
        against = [*started.load.losses, *unknown(started.load.clocks)]
    found = truths.read(journal)
    measured = measure(log, DEADLINE_S, 1.0, exact=exact)
    completions = Completions.of(widened(log, exact))
    scorer = Scorer(measured.outages, completions, zero_s, RATE.interval_s, DEADLINE_S, planned.margin_s)
    trials = [_without_unsent(scorer, scorer.trial(truth), log) for truth in found]
    return trials, exact.sent_late_s, against


def _without_unsent(scorer: Scorer, trial: Trial, log: RequestLog) -> Trial:
    """A trial whose bad arrivals are those that the service has met: one never sent is this machine's own."""
    start_s, end_s = trial.at_s - scorer.margin_s, trial.at_s + trial.truth_s + scorer.margin_s
    met = [each for each in scorer.outages if each.end_s >= start_s and each.start_s <= end_s]
    unsent = log.intended[np.isnan(log.sent)]
    never = sum(np.count_nonzero((unsent >= each.start_s) & (unsent <= each.end_s)) for each in met)
    return replace(trial, bad=trial.bad - int(never))


def lose(seed: int, directory: Path, duration_s: float = 14.0) -> tuple[str, int, bool]:
    """One run with a loss: which, how many arrivals are not on record, and whether any was told."""
    chance = random.Random(seed)
    kind = ("kill", "stop", "cut", "pause", "master", "restart")[seed % 6]
    at_s = chance.uniform(0.5, duration_s - 6.0)
    journal = directory / "truth.jsonl"
    journal.write_text("")
    with _server(journal) as server, shared(directory, server.port, duration_s, seed, count=2) as started:
        zero_s = _zero_of(started.load)
        server.order(plan(0, seed, settle_s=1.0, interval_s=0.005, shortest_s=0.05, longest_s=2.0), zero_s)
        time.sleep(max(0.0, zero_s + at_s - time.monotonic()))
        victim = chance.randrange(2)
        _strike(kind, started, victim, chance)
        log, _ = started.load.collect()
        told = bool(started.load.losses) or started.load.audit is None
        dropped = bool(log.error.equals(KILLED).any())  # what was merely late is told by its own row
    return kind, _missing(log, None if kind == "master" else duration_s), told or not dropped


def _strike(kind: str, started: Shared, victim: int, chance: random.Random) -> None:
    worker, relay = started.workers[victim], started.relays[victim]
    if kind in ("kill", "restart"):
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        if kind == "restart":  # it comes too late for this test, and must not disturb it
            started.workers.append(_joining(started, victim))
    elif kind == "stop":
        os.killpg(worker.pid, signal.SIGSTOP)
    elif kind == "master":
        os.killpg(started.load.pid, signal.SIGKILL)
    elif kind == "pause":
        os.killpg(worker.pid, signal.SIGSTOP)
        time.sleep(chance.uniform(0.5, 5.5))
        os.killpg(worker.pid, signal.SIGCONT)
    else:
        relay.cut()
        time.sleep(chance.uniform(0.5, 8.0))
        relay.mend()


def _missing(log: RequestLog, lasts_s: float | None) -> int:
    """How many arrivals have no row, or two: each of two workers has every other one, warm-up included.

    `lasts_s`: the length of the measured part; None: each worker's up to its last row.
    """
    wrong, apart_s = 0, 2 * RATE.interval_s
    for worker in ("0", "1"):
        due = np.unique(log.intended[log.worker.equals(worker)])
        if lasts_s is None and not len(due):
            continue  # the master was killed before a row of it had come
        if lasts_s is None:
            expected = round(float(due[-1] - due[0]) / apart_s) + 1
        else:
            expected = round((lasts_s + _WARMUP_S) / apart_s)
        wrong += abs(expected - len(due))
    return wrong


def say(*lines: str) -> None:
    """Tell it at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def main(what: str, count: int, seed: int) -> int:
    """Run it, print what came of it; 0 when all of it is as it should be."""
    with tempfile.TemporaryDirectory() as place:
        if what == "outages":
            lacking = why_not()
            say(f"workers behind relays of this machine: {lacking}" if lacking else "workers in namespaces")
            with contextlib.ExitStack() as stack:
                far = None if lacking else stack.enter_context(far_machines(WAYS, Path(place)))
                trials, doubt_s, against = plant(count, seed, Path(place), far)
            covered = sum(trial.covered for trial in trials)
            widths = sorted(trial.excess_s * 1000 for trial in trials)
            say(f"{covered} of {len(trials)} within the bounds; clocks known to {doubt_s * 1000:.2f} ms")
            say(f"width beyond deadlines: median {widths[len(widths) // 2]:.1f}, most {widths[-1]:.1f} ms")
            for trial in trials:
                if not trial.covered:
                    say(f"not covered: {trial}")
            say(*against)
            return int(covered < 0.99 * len(trials))
        wrong = 0
        for number in range(seed, seed + count):
            directory = Path(place) / str(number)
            directory.mkdir()
            kind, missing, told = lose(number, directory)
            wrong += bool(missing) or not told
            say(f"{number} {kind}: {missing} not on record, told: {told}")
        say(f"{count} runs, {wrong} with arrivals that are not on record, or a loss untold")
        return int(wrong > 0)


if __name__ == "__main__":
    given = sys.argv[1:]
    if not given:
        sys.exit(main("outages", 20, 1) or main("losses", 10, 1))
    sys.exit(main(given[0], int(given[1]) if len(given) > 1 else 20, int(given[2]) if len(given) > 2 else 1))
