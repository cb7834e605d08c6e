"""Drives user classes by the engine in this process: the load without Locust's command line around it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
import numpy as np
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from locust.env import Environment

from seatrial.load.dataset import DataSet
from seatrial.load.engine import Engine
from seatrial.load.feed import Feed
from seatrial.load.offer import Share
from seatrial.load.options import LoadOptions
from seatrial.load.spool import SpoolHeader, SpoolReader
from seatrial.load.user_pool import tasks_of
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import GeneratorAudit
from seatrial.model.scenarioaccount import ScenarioAccount


@dataclass
class Driven:
    """A load that is over."""

    log: RequestLog
    scenario: ScenarioAccount
    audit: GeneratorAudit
    environment: Environment
    ended_by_itself: bool
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def in_time(self) -> RequestLog:
        """The rows of what was sent: a machine that is busy may let an arrival wait beyond its deadline."""
        return self.log[~np.isnan(self.log.sent)]

    def names(self) -> list[str]:
        return self.log.name.texts()

    def errors(self) -> list[str]:
        return self.log.error.texts()


def drive(
    user_classes: Any,
    folder: Path,
    *,
    host: str = "http://127.0.0.1:9",
    until: Callable[[], bool] | None = None,
    rows: DataSet | None = None,
    **options: str,
) -> Driven:
    """Offer load to one class or several, for as long as `duration` says or until something is so."""
    classes = list(user_classes) if isinstance(user_classes, list | tuple) else [user_classes]
    environment = Environment(user_classes=classes, host=host)
    events: list[dict[str, Any]] = []
    environment.events.request.add_listener(lambda **told: events.append(told))
    given = {"rate": "200/s", "duration": "100ms", **options}
    parsed = LoadOptions.parse(given)
    zero_s = 0.02 + parsed.warmup
    header = SpoolHeader(
        worker="0", pid=os.getpid(), zero_monotonic_s=time.monotonic() + zero_s, zero_unix_s=time.time() + zero_s,
        offer=parsed.offer(), share=Share(), deadline_s=parsed.deadline, scenario="", host=host,
    )  # fmt: skip
    ended: list[bool] = []
    spool = folder / "worker-0.spool"
    feed = Feed(rows, parsed.data_order, parsed.seed, header.share) if rows else None
    tasks = tasks_of(classes)
    engine = Engine(environment, parsed, header, host, tasks, spool, lambda: ended.append(True), feed)
    engine.start()
    _wait(until or (lambda: time.monotonic() > header.zero_monotonic_s + parsed.duration), ended)
    audit = engine.finish()
    reader = SpoolReader(spool)
    return Driven(reader.poll(), reader.scenario, audit, environment, bool(ended), events)


def _wait(over: Callable[[], bool], ended: list[bool]) -> None:
    limit_s = time.monotonic() + 20
    while not over() and not ended:
        assert time.monotonic() < limit_s
        gevent.sleep(0.005)
