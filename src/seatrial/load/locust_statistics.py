"""Locust's own statistics of good answers, merged in batches and not told one by one.

    answer ─► Reporter ─┬─ somebody else listens, or it failed ─► events.request.fire ─► every listener
                        └─ only Locust counts, and it is good ─► a batch ─► StatsEntry.extend

To tell Locust of a request counts the same thing in two places, and takes fifteen times what it takes to put
it into a batch and merge that. The statistics are the same in the end, and a fifth of a second behind
meanwhile. Whoever listens to requests by himself hears of each at once, as ever; so do all of failures.

Locust counts the requests of each second, asks for the last dozen of them, and keeps all: a megabyte an hour
for two names. What it asks for no more is forgotten here.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from typing import Any

from locust import stats as locust_stats
from locust.env import Environment
from locust.stats import StatsEntry

_KEPT_S = 60  # of requests by the second
_MOST = 512  # answers in a batch: to merge it holds up the load for 0.3 ms
_LOCUSTS = ("locust.runners", "Runner.__init__.<locals>.on_request")
_OURS = ("seatrial.load.reported", "listen.<locals>.heard")  # which leaves out what is on record already

Good = tuple[str, str, float, int, float]  # method, name, milliseconds, bytes, when it was told (Unix)


class LocustStatistics:
    """Those of one environment."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._event: Any = environment.events.request
        self._listeners: list[Any] = []  # when somebody last looked who they are
        self._alone = False
        self._good: list[Good] = []
        self._forgotten_s = time.time()  # what was before is, or never was

    def count_alone(self) -> bool:
        """Whether nobody but Locust's statistics would hear of a request."""
        listeners = self._event._handlers
        if listeners != self._listeners:
            self._listeners = listeners.copy()
            who = Counter((each.__module__, each.__qualname__) for each in listeners if _is_plain(each))
            self._alone = who[_LOCUSTS] == 1 and who[_LOCUSTS] + who[_OURS] == len(listeners)
        return self._alone

    def add(self, method: str, name: str, took_ms: float, size: int) -> None:
        """A good answer."""
        self._good.append((method, name, took_ms, size, time.time()))
        if len(self._good) >= _MOST:
            self.merge()

    def merge(self) -> None:
        """Let Locust know of all so far."""
        good, self._good = self._good, []
        batches: dict[tuple[str, str, int], list[Good]] = defaultdict(list)
        for each in good:
            batches[each[1], each[0], int(each[4])].append(each)
        stats = self._environment.stats
        for (name, method, second), answers in batches.items():
            entry = _entry(StatsEntry(stats, name, method), second, answers)
            stats.total.extend(entry)
            stats.entries[name, method].extend(entry)
        if time.time() - self._forgotten_s > 2 * _KEPT_S:
            self._forget(time.time() - _KEPT_S)

    def _forget(self, before_s: float) -> None:
        self._forgotten_s = before_s
        stats = self._environment.stats
        for entry in (stats.total, *stats.entries.values()):
            for counted in (entry.num_reqs_per_sec, entry.num_fail_per_sec):
                for second in [each for each in counted if each < before_s]:
                    del counted[second]


def _is_plain(listener: Any) -> bool:
    return hasattr(listener, "__module__") and hasattr(listener, "__qualname__")


def _entry(entry: StatsEntry, second: int, answers: list[Good]) -> StatsEntry:
    """What Locust would have made of them, which came within one second of the clock."""
    times: Any = [each[2] for each in answers]  # to Locust they are whole numbers
    entry.num_requests = len(answers)
    entry.total_response_time = sum(times)
    entry.min_response_time, entry.max_response_time = min(times), max(times)
    entry.response_times = Counter(map(locust_stats.bucket_response_time, times))
    entry.total_content_length = sum(each[3] for each in answers)
    entry.num_reqs_per_sec = {second: len(answers)}
    entry.start_time, entry.last_request_timestamp = answers[0][4], answers[-1][4]
    return entry
