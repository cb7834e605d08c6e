"""Whatever fails in the middle of a run is an ending with its reason; what was gathered until then is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.support.conducting import TARGET, TEXT, FakeLoad, Rehearsal, rows
from tests.support.results import measurement

from seatrial.checks.protocol import Need, When
from seatrial.load.offer import Offer
from seatrial.lookups.recorder import Recorder, RunFacts
from seatrial.model.arrivals import RateStep
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import BadInput, CannotStore, Unavailable
from seatrial.model.quantities import Rate
from seatrial.model.requestlog import RequestLog
from seatrial.model.role import Role
from seatrial.model.verdict import Verdict
from seatrial.probes import Question
from seatrial.run.conductor import Conducted
from seatrial.run.evidence import RunJournal
from seatrial.run.needs import BoundNeed
from seatrial.run.timeline import Timeline

PARTITION = "timeline: [{at: 0s, fault: network.partition, on: router, with: {between: [east, west]}}]\n"
NO_ROUTER = "roles: {router: {driver: network, lacking: there is none on loopback, sides: {}}}\n"
LONG = TEXT.replace("300ms", "60s")
WELL = Question(ProbeSpec.model_validate({"http": "/"}), Role("target", "http", {}, (), "."))


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path)


def reasons(told: Conducted) -> list[str]:
    assert {ending.verdict for ending in told.endings} <= {Verdict.UNKNOWN}
    return [ending.reason for ending in told.endings]


def failing(error: Exception) -> Callable[..., RequestLog]:
    def fail(*_: object) -> RequestLog:
        raise error

    return fail


def test_all_went_well(rehearsal: Rehearsal) -> None:
    told = rehearsal.conduct()
    assert (reasons(told), told.defects, len(told.log), told.end_s) == ([], (), 10, 0.3)
    (session,) = rehearsal.sessions
    assert session.closed
    assert not session.undone_at_once.is_set()
    assert rehearsal.events() == ["target.ready", "load.started", "load.zero", "load.ended", "undone"]


# before the load


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"experiment": TEXT + PARTITION, "target": TARGET + NO_ROUTER},
         "not run here: router: there is none on loopback; nothing was started"),
        ({"require_healthy": failing(Unavailable("the target shop is not healthy"))}, "the target shop is not healthy"),
        ({"plan": {"steady_state": (WELL,)}, "probe": lambda _: "http / gave HTTP 503"},
         "the target is not in its steady state: http / gave HTTP 503; nothing was started"),
        ({"launch": failing(Unavailable("the load generator cannot be started: out of processes"))},
         "the load generator cannot be started: out of processes"),
    ],
)  # fmt: skip
def test_a_run_that_cannot_be_started_has_measured_nothing(
    tmp_path: Path, changed: dict[str, object], reason: str
) -> None:
    rehearsal = Rehearsal(tmp_path, **changed)  # type: ignore[arg-type]  # by their names
    told = rehearsal.conduct()
    assert reasons(told) == [reason]
    assert len(told.log) == 0
    assert "load.started" not in rehearsal.events()
    assert all(session.closed for session in rehearsal.sessions)


class Stock(Recorder[str]):
    """Notes down what is in stock."""

    name: ClassVar[str] = "stock"
    drivers: ClassVar[tuple[str, ...]] = ("http",)

    def record(self, role: Role, run: RunFacts) -> str:
        return f"{role.name}: {len(run.keys)} sold"

    def evidence(self, data: str) -> str:
        return data


def test_what_a_check_has_to_be_told_before_the_run_is_asked_when_the_target_is_ready(tmp_path: Path) -> None:
    shop = Role("shop", "http", {}, (), ".")
    before, after = (Need[str]("stock", "shop", when) for when in (When.BEFORE, When.AFTER))
    needs = tuple(BoundNeed(need, Stock(), shop) for need in (before, after))
    told = Rehearsal(tmp_path, plan={"needs": needs}).conduct()
    assert {need: answer.data for need, answer in told.answers.items()} == {before: "shop: 0 sold"}


def test_a_load_that_says_nothing_of_its_start_has_not_started(tmp_path: Path) -> None:
    rehearsal = Rehearsal(tmp_path, load=FakeLoad(ended=1, zero_monotonic_s=None))
    assert reasons(rehearsal.conduct()) == ["the load generator did not start: no word"]


# while it goes on


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
    tmp_path: Path, error: Exception, reason: str, defective: bool
) -> None:
    rehearsal = Rehearsal(tmp_path, load=FakeLoad(new_rows=failing(error)))
    told = rehearsal.conduct()
    (said,) = reasons(told)
    assert reason in said
    assert len(told.log) == 10
    assert rehearsal.load.stopped, "the load went on without anybody watching"
    assert bool(told.defects) == defective


def test_a_load_that_ends_early_ends_the_run(rehearsal: Rehearsal) -> None:
    def breaks_off() -> RequestLog:
        rehearsal.load.ended = 1
        return rows(1)

    rehearsal.load.new_rows = breaks_off
    rehearsal.experiment = LONG
    told = rehearsal.conduct()
    assert reasons(told) == ["the load generator ended early: no word"]
    assert told.cut == "the load generator ended early: no word"
    assert told.end_s < 30


@pytest.mark.parametrize(
    ("arrivals", "told"),
    [(30, []), (None, []), (29, ["the load generator ended early: after 29 of 30 arrivals"])],
)
def test_a_load_that_was_over_before_its_end_cannot_pass(
    rehearsal: Rehearsal, arrivals: int | None, told: list[str]
) -> None:
    """Its process is still there at the end, for the last answers: what was not due any more is on no record."""
    load: Any = rehearsal.load
    load.offer = Offer((RateStep(0.0, Rate(100, 1.0)),), "even", 1, 0.0, 0.3)
    load.audit = replace(measurement().generator, arrivals=arrivals)
    assert reasons(rehearsal.conduct()) == told


def test_a_person_who_asks_for_the_end_has_everything_undone_at_once(rehearsal: Rehearsal) -> None:
    def asks() -> RequestLog:
        rehearsal.stop.set()
        return rows(1)

    rehearsal.load.new_rows = asks
    told = rehearsal.conduct()
    (ending,) = told.endings
    assert (ending.reason, ending.interrupted) == ("interrupted", True)
    assert rehearsal.sessions[0].undone_at_once.is_set()
    assert rehearsal.load.stopped


def test_a_guard_that_gives_way_is_a_fail(tmp_path: Path) -> None:
    guarded = TEXT.replace("300ms", "20s") + "guards: [{errors: 50%, for: 0s}]\n"
    rehearsal = Rehearsal(tmp_path, experiment=guarded)
    rehearsal.load.new_rows = lambda: rows(1, ok=False)
    told = rehearsal.conduct()
    (ending,) = told.endings
    assert (ending.verdict, ending.reason) == (
        Verdict.FAIL,
        "guard: 100% of arrivals were bad, limit 50% for 0s",
    )
    assert rehearsal.sessions[0].undone_at_once.is_set()


def test_a_session_that_is_lost_ends_the_run(rehearsal: Rehearsal) -> None:
    def loses() -> RequestLog:
        lost = threading.Thread(target=rehearsal.sessions[0].on_lost, args=("the guardian is gone",))
        lost.start()
        lost.join()
        return rows(1)

    rehearsal.load.new_rows = loses
    assert reasons(rehearsal.conduct())[0] == "the fault session was lost: the guardian is gone"


def test_a_journal_that_the_disk_does_not_take_ends_the_run(rehearsal: Rehearsal) -> None:
    def touch(journal: RunJournal) -> None:
        journal.trouble = CannotStore("the run's journal: no space left")

    told = rehearsal.conduct(touch)
    assert reasons(told) == ["the run's journal: no space left"]
    assert rehearsal.load.stopped


def test_a_timeline_that_dies_silently_is_noticed(tmp_path: Path) -> None:
    class Dead(Timeline):
        def run(self) -> None:
            """It is gone before it has told anything."""

    told = Rehearsal(tmp_path, LONG, timeline=Dead).conduct()
    assert reasons(told) == ["the timeline ended without telling why"]
    assert told.end_s < 30


# at its end


def test_rows_that_cannot_be_kept_are_judged_all_the_same(tmp_path: Path) -> None:
    def full(_: RequestLog) -> None:
        raise CannotStore("the request log: no space left")

    load = FakeLoad(keep=full)
    told = Rehearsal(tmp_path, load=load).conduct()
    assert reasons(told) == ["the request log: no space left"]
    assert len(told.log) == 10


def test_a_spool_that_is_damaged_at_its_end_is_judged_up_to_there(tmp_path: Path) -> None:
    told = Rehearsal(tmp_path, load=FakeLoad(spoiled="it is damaged at byte 99")).conduct()
    assert reasons(told) == ["it is damaged at byte 99"]
    assert len(told.log) == 10


def test_a_generator_that_gave_no_account_may_have_lost_its_last_rows(tmp_path: Path) -> None:
    """Its disk was full at the last flush, or it was killed after the measured part."""
    told = Rehearsal(tmp_path, load=FakeLoad(audit=None)).conduct()
    assert reasons(told) == ["the load generator did not end in good order: no word"]


@pytest.mark.parametrize(
    ("wrong", "verdict"),
    [("http / gave HTTP 503", Verdict.FAIL), ("own: too many open files: http /", Verdict.UNKNOWN)],
)
def test_a_run_that_leaves_the_target_unwell_has_failed_if_that_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, verdict: Verdict
) -> None:
    monkeypatch.setattr("seatrial.run.conductor._STEADY_AGAIN_WITHIN_S", 0.0)
    unwell = Rehearsal(tmp_path, plan={"steady_state": (WELL,)})
    unwell.probe = lambda _: wrong if "load.ended" in unwell.events() else ""
    (ending,) = unwell.conduct().endings
    assert ending.verdict is verdict
    assert ending.reason == f"the target is not in its steady state again: {wrong}"
