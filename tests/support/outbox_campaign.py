"""Many incidents through a PagerDuty that fails in every documented way, with the senders killed at random.

Each experiment fails once to three times and then passes, over and over; each such cycle is one incident. The
double would open a second alert for a trigger that arrives after its resolve, and would leave an alert open
whose resolve came first, so its final state shows every duplicate and every disorder.
"""

from __future__ import annotations

import math
import random
import select
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.pagerduty_double import ROUTING_KEY, PagerDutyDouble, Trouble, seeded_trouble
from tests.support.results import result

from seatrial.incidents import IncidentSettings, Reporter
from seatrial.incidents.event import dedup_key
from seatrial.model.verdict import Verdict
from seatrial.store import MessageState, Store

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """What the double had in the end, against what it should have."""

    incidents: int
    arrived: int
    triggers: int
    triggers_taken: int  # different ones
    alerts: int
    left_open: int
    out_of_order: int
    repeats_folded: int  # the same message taken again, and folded into its alert
    kills: int
    requests: int
    parked: int
    seconds: float

    @property
    def duplicates(self) -> int:
        """Alerts beyond one an incident."""
        return self.alerts - self.incidents


class Senders:
    """Two delivery workers, killed (SIGKILL) and replaced at random instants.

    One that is still starting is left alone: it delivers nothing that a kill could interrupt.
    """

    def __init__(self, database: str, events_url: str, draw: random.Random) -> None:
        self._command = [sys.executable, "-m", "tests.support.outbox_sender", database, events_url]
        self._draw = draw
        self._processes = [self._start(), self._start()]
        self._victim = 0
        self._kill_at = math.inf
        self.kills = 0

    def maybe_kill(self) -> None:
        """Kill one, some time after it has begun to work, and start another in its place."""
        victim = self._processes[self._victim]
        if math.isinf(self._kill_at) and _has_output(victim):  # it has said so
            self._kill_at = time.monotonic() + self._draw.uniform(0.2, 1.4)
        if time.monotonic() < self._kill_at:
            return
        assert victim.poll() is None, "a sender died on its own"
        self._end(victim)
        self.kills += 1
        self._processes[self._victim] = self._start()
        self._victim = self._draw.randrange(len(self._processes))
        self._kill_at = math.inf

    def stop(self) -> None:
        """Kill all."""
        for process in self._processes:
            self._end(process)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.communicate()


def _has_output(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdout is not None
    return bool(select.select([process.stdout], [], [], 0.0)[0])


def run_campaign(
    directory: Path,
    incidents: int,
    min_kills: int,
    seed: int,
    within_s: float,
    retry_after_s: str | None = None,
) -> Outcome:
    """Run it until everything has arrived and `min_kills` senders were killed, or time is up."""
    draw = random.Random(seed)
    experiments = max(4, incidents // 8)
    story = list(_story(incidents, experiments, draw))
    started = time.monotonic()
    trouble = seeded_trouble(seed, share=0.25, kinds=tuple(Trouble))
    with (
        PagerDutyDouble(
            trouble, most_a_window=120, window_s=1.0, hang_s=0.5, retry_after_s=retry_after_s
        ) as double,
        Store(f"sqlite:///{directory}/outbox.sqlite") as store,
    ):
        reporter = Reporter(store, IncidentSettings())
        senders = Senders(f"sqlite:///{directory}/outbox.sqlite", double.url, draw)
        try:
            for number, (experiment, verdict) in enumerate(story):
                reporter.finished(result(verdict, number, experiment=experiment))
                senders.maybe_kill()
            while time.monotonic() - started < within_s:
                senders.maybe_kill()
                if senders.kills >= min_kills and not _waiting(store):
                    break
                time.sleep(0.05)  # the pace of looking, not a wait for anything
        finally:
            senders.stop()
        return _judge(story, double, store, senders.kills, incidents, time.monotonic() - started)


def _story(incidents: int, experiments: int, draw: random.Random) -> Iterator[tuple[str, Verdict]]:
    """Failing and passing runs, those of different experiments interleaved."""
    queues = [
        [
            verdict
            for _ in range(incidents // experiments + (index < incidents % experiments))
            for verdict in [*([Verdict.FAIL] * draw.randint(1, 3)), Verdict.PASS]
        ]
        for index in range(experiments)
    ]
    while remaining := [index for index, queue in enumerate(queues) if queue]:
        index = draw.choice(remaining)
        yield f"experiment-{index}", queues[index].pop(0)


def _waiting(store: Store) -> bool:
    """Whether anything still has to be told at the sink that is on."""
    return any(
        each.state is MessageState.PENDING and each.sink == "pagerduty" for each in store.outbox.depth()
    )


def _judge(
    story: list[tuple[str, Verdict]],
    double: PagerDutyDouble,
    store: Store,
    kills: int,
    incidents: int,
    seconds: float,
) -> Outcome:
    expected: dict[str, list[list[str]]] = defaultdict(lambda: [[]])
    for number, (experiment, verdict) in enumerate(story):
        cycles = expected[dedup_key("testbed", experiment)]
        if verdict is Verdict.FAIL:
            cycles[-1].append(f"{experiment}-{number:04d}")
        else:
            cycles.append([])
    alerts = [alert for alert in double.alerts if alert.routing_key == ROUTING_KEY]
    seen: dict[str, list[list[str]]] = defaultdict(list)
    repeats = len(double.dropped)
    for alert in alerts:
        runs = [each["payload"]["custom_details"]["run"] for each in alert.log if "payload" in each]
        repeats += len(runs) - len(set(runs))
        seen[alert.dedup_key].append(list(dict.fromkeys(runs)))
    wanted = {key: [cycle for cycle in cycles if cycle] for key, cycles in expected.items()}
    triggers = sum(verdict is Verdict.FAIL for _, verdict in story)
    return Outcome(
        incidents=incidents,
        arrived=sum(min(len(seen[key]), len(cycles)) for key, cycles in wanted.items()),
        triggers=triggers,
        triggers_taken=len({run for cycles in seen.values() for cycle in cycles for run in cycle}),
        alerts=len(alerts),
        left_open=sum(alert.status != "resolved" for alert in alerts),
        out_of_order=sum(seen[key] != cycles for key, cycles in wanted.items()),
        repeats_folded=repeats,
        kills=kills,
        requests=double.requests,
        parked=sum(each.messages for each in store.outbox.depth() if each.state is MessageState.FAILED),
        seconds=seconds,
    )
