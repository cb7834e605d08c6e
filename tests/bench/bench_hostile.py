"""A server that misbehaves in every way there is, for minutes: `python -m tests.bench.bench_hostile [MINUTES] [SEED] [RATE]`.

    core 0: the server (`tests.support.hostile_server`) and this program      core 1: the load generator

Each arrival asks for one behaviour of `tests.support.misbehaviour`, drawn evenly from decks that SEED shuffles.
Without RATE (500/s) the rate is the highest of a short ladder at which nothing is dropped and each row says
what it must. Then the run itself, as `seatrial run` starts it: every row is counted by behaviour and reason,
beside what the server has counted; the generator's memory and open files are looked at from outside.

Exit code 1 when a row is lost, doubled or says something else than it must, when the generator did not end
well, or when more files, sockets or greenlets were left at its end than there were before its first arrival.
A slope of memory fails nothing: its 95 % interval is told, and settles in the first three minutes.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from tests.bench.soak_run import Course
from tests.support.hostile_server import hostile
from tests.support.misbehaviour import BEHAVIOURS, DEADLINE, TLS, Found, addresses, may_say

from seatrial.load.launch import LoadPlan, LoadProcess, launch
from seatrial.model.arrivals import RateStep
from seatrial.model.quantities import Rate
from seatrial.model.requestlog import RequestLog

SERVER, GENERATOR = 0, 1  # cores
DEADLINE_S, WARMUP_S = 4.0, 5.0
LADDER_PER_S = (500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 5_000, 6_000)
LADDER_S = 10
_LOOK_S, _POLL_S = 2.0, 0.5
_GRACE_S = 60.0

SCENARIO = """\
import gc, json, os, random
from greenlet import greenlet
from locust import events, task
from seatrial.load import OpenLoopUser

ADDRESSES = {addresses}
dice, deck = random.Random({seed}), []

def draw():
    if not deck:
        deck.extend(ADDRESSES)
        dice.shuffle(deck)
    return deck.pop()

def note(when):
    gc.unfreeze()
    gc.collect()
    links = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink("/proc/self/fd/" + fd))
        except OSError:
            pass  # that of the listing
    bare = [each for each in gc.get_objects() if type(each) is greenlet]  # arrivals': gevent's own are others
    alive = sum(bool(each) and each.parent is not None for each in bare)  # but threads' first ones
    left = dict(files=len(links), sockets=sum(each.startswith("socket:") for each in links), greenlets=alive)
    with open({place!r} + when, "w") as file:
        json.dump(left, file)

events.test_start.add_listener(lambda **_: note("start"))
events.test_stop.add_listener(lambda **_: note("end"))

class Visitor(OpenLoopUser):
    verify = {authority!r}

    @task
    def meet(self):
        name, address = draw()
        self.client.get(address, name=name)
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run: what was found, and what else is wrong with it."""

    found: Found
    rows: int
    dropped: int
    late_p99_ms: float
    wrong: tuple[str, ...]
    memory: Course
    files: Course
    left: dict[str, dict[str, int]]  # at the start and at the end
    duration_s: float


def run(folder: Path, rate_per_s: int, duration_s: int, seed: int) -> Ran:
    """Once, with a server of its own."""
    folder.mkdir()
    with hostile(folder) as server:
        scenario = folder / "hostile.py"
        told = {"addresses": addresses(server.ports), "authority": str(server.authority)}
        scenario.write_text(SCENARIO.format(**told, seed=seed, place=str(folder / "left.")))
        plan = LoadPlan(
            scenario=scenario,
            host=f"https://127.0.0.1:{server.ports[TLS]}",
            shape=(RateStep(0.0, Rate(rate_per_s, 1.0)),),
            warmup_s=WARMUP_S,
            duration_s=float(duration_s),
            spacing="even",
            seed=seed,
            deadline_s=DEADLINE_S,
            directory=folder / "load",
        )
        load = launch(plan)
        psutil.Process(load.pid).cpu_affinity([GENERATOR])
        try:
            memory, files = _looked_at(load, duration_s)
            log, spoiled = load.collect()
        finally:
            load.stop(0.0)
        counts = server.counts()
    found = Found(_counted(log), counts["asked"], counts["crossed"])
    left = {when: json.loads((folder / f"left.{when}").read_text()) for when in ("start", "end")
            if (folder / f"left.{when}").exists()}  # fmt: skip
    wrong = [*_wrong_of(load, log, round(rate_per_s * (WARMUP_S + duration_s)), spoiled), *_left_over(left)]
    if counts["connections"]:
        wrong.append(f"{counts['connections']} connections were open when the generator had ended")
    wrong += [f"the server: {what}, {count:,} times" for what, count in counts["failures"].items()]
    dropped, late_ms = np.isnan(log.sent), (log.sent - log.intended) * 1e3
    late_p99_ms = float(np.nanpercentile(late_ms, 99)) if not dropped.all() else float("nan")
    return Ran(
        found, len(log), int(np.count_nonzero(dropped)), late_p99_ms, tuple(wrong), memory, files, left,
        float(duration_s),
    )  # fmt: skip


def _looked_at(load: LoadProcess, duration_s: int) -> tuple[Course, Course]:
    """The generator's memory (MiB) and open files, from outside, as long as it lives."""
    memory, files, looked_s = Course(), Course(), 0.0
    generator = psutil.Process(load.pid)
    latest_s = time.monotonic() + WARMUP_S + duration_s + DEADLINE_S + _GRACE_S
    while load.poll() is None and time.monotonic() < latest_s:
        load.new_rows()  # as a conductor does; what it has read is settled beside the load
        zero_s = load.zero_monotonic_s
        now_s = time.monotonic()
        if zero_s is not None and now_s >= looked_s + _LOOK_S:
            looked_s = now_s
            try:
                mib, count = generator.memory_info().rss / 2**20, generator.num_fds()
            except psutil.Error:
                break
            for course, value in ((memory, mib), (files, float(count))):
                course.at_s.append(now_s - zero_s)
                course.mib.append(value)
        time.sleep(_POLL_S)
    return memory, files


def _counted(log: RequestLog) -> Counter[tuple[str, str]]:
    """How many rows each behaviour has with each reason."""
    pairs = log.name.codes.astype(np.int64) * len(log.error.values) + log.error.codes
    codes, counts = np.unique(pairs, return_counts=True)
    split = (divmod(int(code), len(log.error.values)) for code in codes)
    return Counter(
        {
            (log.name.values[name], log.error.values[error]): int(count)
            for (name, error), count in zip(split, counts, strict=True)
        }
    )


def _wrong_of(load: LoadProcess, log: RequestLog, arrivals: int, spoiled: str) -> Iterator[str]:
    """Of the rows as such, and of the generator's end."""
    if spoiled or load.poll() != 0 or load.audit is None:
        yield f"the generator: exit code {load.poll()}, {spoiled or load.failure_reason() or 'no account'}"
    if load.scenario.errors:
        yield f"the scenario: {load.scenario}"
    if len(log) != arrivals:
        yield f"{len(log):,} rows of {arrivals:,} arrivals"
    if (doubled := len(log) - len(np.unique(log.intended))) != 0:
        yield f"{doubled:,} arrivals have more than one row"
    unanswered = log.error.equals(DEADLINE)
    if (count := np.count_nonzero(np.isnan(log.ended) != unanswered)) != 0:
        yield f"{count:,} rows tell of an end that was none, or of none"
    if (count := np.count_nonzero(log.ok != log.error.equals(""))) != 0:
        yield f"{count:,} rows are good and give a reason, or bad and give none"


def _left_over(left: dict[str, dict[str, int]]) -> Iterator[str]:
    if len(left) < 2:
        yield "the generator did not say what it left"
        return
    for what, before in left["start"].items():
        if left["end"][what] > before:
            yield f"{left['end'][what]} {what} at the end, {before} at the start"


def highest(folder: Path, seed: int) -> int:
    """The highest rate of the ladder that is held, as arrivals per second."""
    held = 0
    for rate_per_s in LADDER_PER_S:
        ran = run(folder / str(rate_per_s), rate_per_s, LADDER_S, seed)
        wrong = [*ran.wrong, *ran.found.wrong()]
        fine = not wrong and not ran.dropped
        _say(
            f"{rate_per_s:>6,}/s: {'held' if fine else 'not held'}, {ran.dropped:,} dropped, "
            f"late p99 {ran.late_p99_ms:.1f} ms{''.join(f'; {each}' for each in wrong[:3])}"
        )
        if not fine:
            break
        held = rate_per_s
    return held


def _tell(ran: Ran, rate_per_s: int) -> bool:
    """The table, and whether all of it is as it must be."""
    _say(f"{'behaviour':<28}{'rows':>10}{'asked':>10}  reason in the log")
    for (name, reason), count in sorted(ran.found.rows.items(), key=lambda row: (_place(row[0][0]), row[0])):
        asked = ran.found.asked.get(name)
        must = BEHAVIOURS[name].reason if name in BEHAVIOURS else "nothing"
        mark = "" if may_say(name, reason) else f"   instead of {must or 'good'!r}"
        _say(
            f"{name:<28}{count:>10,}{'' if asked is None else format(asked, ','):>10}  {reason or 'good'}{mark}"
        )
    for what, course, unit in (("memory", ran.memory, "MiB"), ("open files", ran.files, "files")):
        told: dict[str, Any] = course.told(ran.duration_s / 2, ran.duration_s) if course.mib else {}
        slope = told.get("mib_an_hour")
        shown = (
            f"slope of the second half {slope['slope']:+.1f} {unit}/hour, "
            f"95 % [{slope['lower']:+.1f}, {slope['upper']:+.1f}]"
            if slope
            else "too few looks for a slope"
        )
        _say(
            f"{what}: {told.get('mib_at_half')} {unit} at half, {told.get('mib_at_end')} at the end of the load; {shown}"
        )
    _say("; ".join(f"at the {when}: {_listed(each)}" for when, each in ran.left.items()))
    wrong = [*ran.wrong, *ran.found.wrong(), *([f"{ran.dropped:,} dropped"] if ran.dropped else [])]
    for each in wrong:
        _say(f"wrong: {each}")
    _say(
        f"{'not as it must be' if wrong else 'all as it must be'}: {ran.rows:,} rows at {rate_per_s:,}/s for "
        f"{ran.duration_s:.0f} s, late p99 {ran.late_p99_ms:.1f} ms, {len(wrong)} things wrong"
    )
    return not wrong


def _place(name: str) -> int:
    return list(BEHAVIOURS).index(name) if name in BEHAVIOURS else len(BEHAVIOURS)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def main(minutes: float, seed: int, rate: str) -> bool:
    """All of it; whether nothing was wrong."""
    os.sched_setaffinity(0, {SERVER})  # which the server inherits
    _say(f"{len(BEHAVIOURS)} behaviours, seed {seed}, load average {os.getloadavg()[0]:.1f} before")
    with tempfile.TemporaryDirectory(prefix="seatrial-hostile-") as name:
        folder = Path(name)
        rate_per_s = int(rate.removesuffix("/s")) if rate else highest(folder, seed)
        if not rate_per_s:
            _say("not as it must be: no rate of the ladder is held")
            return False
        return _tell(run(folder / "run", rate_per_s, round(minutes * 60), seed), rate_per_s)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    minutes_, seed_, rate_ = (*sys.argv[1:], *("1", "13", "")[len(sys.argv) - 1 :])
    sys.exit(0 if main(float(minutes_), int(seed_), rate_) else 1)
