"""A run without load, faults or target: what a conductor works with, as a test has it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, cast

from tests.support.rows import log_of

from seatrial import files
from seatrial.load.clocks import Told
from seatrial.load.launch import LoadProcess
from seatrial.model.requestlog import RequestLog
from seatrial.model.scenarioaccount import ScenarioAccount
from seatrial.probes import Question
from seatrial.run.clock import RunClock
from seatrial.run.conductor import Conducted, Conductor, Means
from seatrial.run.evidence import Evidence, RunJournal, read_journal
from seatrial.run.observer import Silent
from seatrial.run.plan import Plan, make_plan
from seatrial.undo.session import FaultSession

TEXT = "experiment: x\nload: {scenario: a.py, rate: 100/s}\nwarmup: 0s\nduration: 300ms\n"
TARGET = "target: shop\nbase_url: http://127.0.0.1:1\nready_within: 0s\n"
NO_ROWS = RequestLog.empty()


def rows(count: int, *, ok: bool = True, at_s: float = 0.0) -> RequestLog:
    """That many requests, a hundredth of a second apart, answered at once."""
    return log_of(
        {"intended": at_s + i / 100, "sent": at_s + i / 100, "ended": at_s + i / 100 + 0.001, "ok": ok,
         "status": 200 if ok else 503, "name": "/", "served_by": "", "error": "", "worker": "0", "key": f"w{i} bolt"}
        for i in range(count)
    )  # fmt: skip


@dataclass
class FakeLoad:
    """A load process that has sent ten requests, and fails as it is told."""

    new_rows: Callable[[], RequestLog] = lambda: NO_ROWS
    spoiled: str = ""
    audit: object = "an account"
    losses: tuple[str, ...] = ()
    clocks: tuple[Told, ...] = ()
    keep: Callable[[RequestLog], None] = lambda _: None
    ended: int | None = None
    pid: int = 1
    log: RequestLog = field(default_factory=lambda: rows(10))
    scenario: ScenarioAccount = field(default_factory=ScenarioAccount)
    offer: None = None
    notices: tuple[str, ...] = ()
    stopped: list[float] = field(default_factory=list)
    zero_monotonic_s: float | None = field(default_factory=time.monotonic)

    def poll(self) -> int | None:
        return self.ended

    def collect(self) -> tuple[RequestLog, str]:
        return self.log, self.spoiled

    def stop(self, grace_s: float) -> None:
        self.stopped.append(grace_s)
        self.ended = 0

    def failure_reason(self) -> str:
        return "no word"

    def incomplete(self) -> str:
        return ""


class FakeSession:
    """Holds a target on which nothing is done, and remembers how it was called."""

    outcomes = ()

    def __init__(self, _home: Path, target: str, *, on_lost: Callable[[str], None], **known: object) -> None:
        self.target = target
        self.known = known
        self.on_lost = on_lost
        self.undone_at_once = threading.Event()
        self.closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def undo_all(self) -> None:
        self.undone_at_once.set()

    def history(self) -> list[object]:
        return []


@dataclass
class Rehearsal:
    """Everything around one run; a test changes what it is about, and has it conducted."""

    directory: Path
    experiment: str = TEXT
    target: str = TARGET
    load: FakeLoad = field(default_factory=FakeLoad)
    require_healthy: Callable[[Plan], None] = lambda _: None
    launch: Callable[[Any], FakeLoad] | None = None  # None: `load` is there at once
    probe: Callable[[Question], str] = lambda _: ""
    timeline: Callable[..., Any] | None = None  # None: the real one
    plan: dict[str, object] = field(default_factory=dict)  # what is other in it
    stop: threading.Event = field(default_factory=threading.Event)
    sessions: list[FakeSession] = field(default_factory=list)

    @property
    def means(self) -> Means:
        """What the conductor works with."""
        started = self.launch or (lambda _: self.load)
        timeline = {"timeline": self.timeline} if self.timeline else {}
        return Means(
            require_healthy=self.require_healthy,
            launch=cast("Callable[..., LoadProcess]", started),
            session=cast("Callable[..., FaultSession]", self._session),
            probe=self.probe,
            **timeline,
        )

    def _session(self, *arguments: Any, **known: Any) -> FakeSession:
        self.sessions.append(FakeSession(*arguments, **known))
        return self.sessions[-1]

    @property
    def planned(self) -> Plan:
        """What is conducted."""
        for name, text in {"x.yaml": self.experiment, "t.yaml": self.target, "a.py": ""}.items():
            (self.directory / name).write_text(text)
        experiment, target = (str(self.directory / name) for name in ("x.yaml", "t.yaml"))
        plan = make_plan(files.read(experiment, "experiment"), files.read(target, "target"))
        return replace(plan, **self.plan)  # type: ignore[arg-type]  # by their names

    def conduct(self, touch: Callable[[RunJournal], None] = lambda _: None) -> Conducted:
        """Have it conducted; `touch` may do something to the run's journal before."""
        journal = RunJournal(self.directory / "journal.jsonl")
        touch(journal)
        evidence, clock = Evidence(self.directory), RunClock.start()
        conductor = Conductor(
            self.planned, evidence, journal, self.directory, Silent(), self.stop, clock, self.means
        )
        told = conductor.conduct()
        journal.close()
        return told

    def events(self) -> Sequence[str]:
        """What the run's journal tells."""
        return [str(event["event"]) for event in read_journal(self.directory / "journal.jsonl")]
