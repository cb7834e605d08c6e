"""Whatever fails in the middle of a run is an ending with its reason; what was gathered until then is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, cast

import pytest
from tests.support.listeners import http, listening
from tests.support.rows import log_of

from seatrial import files
from seatrial.drivers import reach
from seatrial.model.document import build, parse
from seatrial.model.experiment import Experiment
from seatrial.model.problems import BadInput, CannotStore, Unavailable
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import ScenarioAccount
from seatrial.model.target import Target
from seatrial.model.verdict import Verdict
from seatrial.run import conductor
from seatrial.run.clock import RunClock
from seatrial.run.conductor import Conducted, Conductor, require_healthy
from seatrial.run.evidence import Evidence, RunJournal
from seatrial.run.observer import Silent
from seatrial.run.plan import Plan, make_plan
from seatrial.run.timeline import Timeline

EXPERIMENT = build(
    Experiment,
    parse("experiment: x\nload: {scenario: a.py, rate: 100/s}\nwarmup: 0s\nduration: 300ms\n", "x.yaml"),
)
NO_ROWS = RequestLog.concat([])


def rows(count: int) -> RequestLog:
    row = {"intended": 0.0, "sent": 0.0, "ended": 0.1, "ok": True, "status": 200, "name": "/", "served_by": "",
           "error": "", "worker": "0", "key": None}  # fmt: skip
    return log_of([row] * count)


@dataclass
class FakeLoad:
    """A load generator that has answers for ten rows, and fails as it is told."""

    new_rows: Callable[[], RequestLog] = lambda: NO_ROWS
    spoiled: str = ""
    audit: object = "an account"
    keep: Callable[[RequestLog], None] = lambda _: None
    ended: int | None = None
    pid: int = 1
    scenario: ScenarioAccount = field(default_factory=ScenarioAccount)
    stopped: list[float] = field(default_factory=list)
    zero_monotonic_s: float = field(default_factory=time.monotonic)

    def poll(self) -> int | None:
        return self.ended

    def collect(self) -> tuple[RequestLog, str]:
        return rows(10), self.spoiled

    def stop(self, grace_s: float) -> None:
        self.stopped.append(grace_s)
        self.ended = 0

    def failure_reason(self) -> str:
        return "no word"


class FakeSession:
    """Faults are none of these tests' business."""

    outcomes = ()

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def undo_all(self) -> None:
        pass

    def history(self) -> list[object]:
        return []


@pytest.fixture
def conduct(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Conducted]:
    """Conduct a plan without steps on a given load; `journal` may be touched before."""
    monkeypatch.setattr(conductor, "FaultSession", FakeSession)
    monkeypatch.setattr(conductor, "require_healthy", lambda _: None)

    def run(launch: Callable[..., Any], touch: Callable[[RunJournal], None] = lambda _: None) -> Conducted:
        monkeypatch.setattr(conductor, "launch", launch)
        target = SimpleNamespace(target="shop", allow=(), ready_within=SimpleNamespace(seconds=0.0))
        plan = SimpleNamespace(
            experiment=EXPERIMENT, target=target, base_url="http://127.0.0.1:1", address="http://127.0.0.1:1", scenario=Path("a.py"), shape=(),
            steps=(), arrival_changes=(), steady_state=(), guard_probes=(), variables={}, lacking=list,
        )  # fmt: skip
        evidence = Evidence(tmp_path)
        journal = RunJournal(tmp_path / "journal.jsonl")
        touch(journal)
        stop = threading.Event()
        told = Conductor(
            cast("Plan", plan), evidence, journal, tmp_path, Silent(), stop, RunClock.start()
        ).conduct()
        journal.close()
        return told

    return run


def reasons(told: Conducted) -> list[str]:
    assert {ending.verdict for ending in told.endings} <= {Verdict.UNKNOWN}
    return [ending.reason for ending in told.endings]


def test_all_went_well(conduct: Callable[..., Conducted]) -> None:
    told = conduct(lambda _: FakeLoad())
    assert (reasons(told), told.defects, len(told.log), told.end_s) == ([], (), 10, 0.3)


def test_a_load_that_cannot_be_started(conduct: Callable[..., Conducted]) -> None:
    def launch(_: object) -> None:
        raise Unavailable("the load generator cannot be started: out of processes")

    told = conduct(launch)
    assert reasons(told) == ["the load generator cannot be started: out of processes"]
    assert len(told.log) == 0


@pytest.mark.parametrize(
    ("error", "reason", "defective"),
    [
        (BadInput("the spool is damaged at byte 12"), "the spool is damaged at byte 12", False),
        (OSError(5, "Input/output error"), "Input/output error", False),
        (RuntimeError("can't start new thread"), "the machine starts no more threads", False),
        (ZeroDivisionError("oh"), "seatrial itself failed: ZeroDivisionError: oh", True),
    ],
)
def test_what_fails_while_the_load_runs_ends_it_and_keeps_its_rows(
    conduct: Callable[..., Conducted], error: Exception, reason: str, defective: bool
) -> None:
    def fail() -> RequestLog:
        raise error

    load = FakeLoad(new_rows=fail)
    told = conduct(lambda _: load)
    (said,) = reasons(told)
    assert reason in said
    assert len(told.log) == 10
    assert load.stopped, "the load went on without anybody watching"
    assert bool(told.defects) == defective


def test_rows_that_cannot_be_kept_are_judged_all_the_same(conduct: Callable[..., Conducted]) -> None:
    def full(_: RequestLog) -> None:
        raise CannotStore("the request log: no space left")

    told = conduct(lambda _: FakeLoad(keep=full))
    assert reasons(told) == ["the request log: no space left"]
    assert len(told.log) == 10


def test_a_spool_that_is_damaged_at_its_end_is_judged_up_to_there(conduct: Callable[..., Conducted]) -> None:
    told = conduct(lambda _: FakeLoad(spoiled="it is damaged at byte 99"))
    assert reasons(told) == ["it is damaged at byte 99"]
    assert len(told.log) == 10


def test_a_generator_that_gave_no_account_may_have_lost_its_last_rows(
    conduct: Callable[..., Conducted],
) -> None:
    """Its disk was full at the last flush, or it was killed after the measured part."""
    told = conduct(lambda _: FakeLoad(audit=None))
    assert reasons(told) == ["the load generator did not end in good order: no word"]


def test_a_journal_that_the_disk_does_not_take_ends_the_run(
    conduct: Callable[..., Conducted], monkeypatch: pytest.MonkeyPatch
) -> None:
    def touch(journal: RunJournal) -> None:
        journal.trouble = CannotStore("the run's journal: no space left")

    load = FakeLoad()
    told = conduct(lambda _: load, touch)
    assert reasons(told) == ["the run's journal: no space left"]
    assert load.stopped


def test_a_timeline_that_dies_silently_is_noticed(
    conduct: Callable[..., Conducted], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dead(Timeline):
        def run(self) -> None:
            """It is gone before it has told anything."""

    monkeypatch.setattr(conductor, "Timeline", Dead)
    told = conduct(lambda _: FakeLoad())
    assert reasons(told) == ["the timeline ended without telling why"]
    assert told.end_s < 0.3


# before a run


def waited_for(base_url: str, *allow: str) -> Any:
    """As much of a plan as the question needs."""
    return SimpleNamespace(base_url=base_url, target=Target(target="shop", base_url=base_url, allow=allow))


def answering(*answers: bytes) -> Any:
    said = iter(answers)
    return listening(lambda _: iter([next(said)]))


def test_a_target_is_waited_for() -> None:
    with answering(
        http(b"", "503 Not Yet"), b"", http(b"", "302 Found", "Location: http://192.0.2.1/")
    ) as server:
        require_healthy(waited_for(server.url, "127.0.0.1"), within_s=10.0)
    assert len(server.heard) == 3


def test_one_that_stays_unwell_says_how() -> None:
    def unwell(_: bytes) -> Iterator[bytes]:
        yield http(b"", "503 No")

    with (
        listening(unwell) as server,
        pytest.raises(Unavailable, match=r"not healthy: .*HTTP 503; nothing was started"),
    ):
        require_healthy(waited_for(server.url, "127.0.0.1"), within_s=0.0)


def test_a_name_that_has_moved_to_a_host_that_is_not_allowed_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reach, "addresses_of", lambda _: ["127.0.0.2"])
    with listening(lambda _: iter([http(b"")]), "127.0.0.2") as forbidden:
        asked = waited_for(f"http://shop.internal:{forbidden.port}", "127.0.0.1")
        with pytest.raises(
            BadInput, match=r"shop: the host shop\.internal \(127\.0\.0\.2\) is not in the target's"
        ):
            require_healthy(asked)
        assert forbidden.heard == []


def test_a_target_that_is_not_well_is_told_without_its_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_TOKEN", "s3cret-T0ken")
    Path("scenario.py").write_text("")
    Path("x.yaml").write_text("experiment: x\nload: {scenario: scenario.py, rate: 1/s}\nduration: 1s\n")
    Path("t.yaml").write_text(
        'target: shop\nbase_url: "http://user:${SHOP_TOKEN}@127.0.0.1:1"\nready: /ready\n'
    )
    plan = make_plan(files.read("x.yaml", "experiment"), files.read("t.yaml", "target"))
    with pytest.raises(
        Unavailable, match=r"shop is not healthy: shop: GET http://127\.0\.0\.1:1/ready: .*refused"
    ):
        require_healthy(plan, within_s=0.0)
