"""A run whose conductor died gets its end: undone, judged, sealed and recorded, once, whoever dies meanwhile."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.dead_run import CONDUCTOR, ZERO_S, DeadRun, dead_run

from seatrial.incidents import IncidentSettings, Reporter
from seatrial.ledger import read_verifier_keys, verify_sealed
from seatrial.measure.importers import read
from seatrial.model.problems import BadInput, CannotStore, Unavailable
from seatrial.model.result import StepRecord
from seatrial.model.role import Role
from seatrial.model.verdict import Verdict
from seatrial.processes import boot_id
from seatrial.run import conclusion, openruns
from seatrial.run.openruns import Finished
from seatrial.run.recovery import Recovery, recover
from seatrial.run.sealing import public_key
from seatrial.run.unfinished import CUT_SHORT, Zero, finish_at, with_its_undo
from seatrial.store import Store
from seatrial.undo.clock import Instant
from seatrial.undo.injection import Life
from seatrial.undo.journal import Entry, EntryState, What
from seatrial.undo.protocol import Undo

if TYPE_CHECKING:
    from seatrial.run.openruns import OpenReporters


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/runs.sqlite") as store:
        yield store


def reporters_of(store: Store) -> OpenReporters:
    def reporter(experiment: object, command: str) -> Reporter:
        return Reporter(store, IncidentSettings.from_environment({}), reproduce=command)

    return lambda: contextlib.nullcontext(reporter)


def recovered(dead: DeadRun, store: Store) -> Recovery:
    return recover(dead.home, reporters_of(store))


def verdict(dead: DeadRun) -> dict[str, object]:
    found: dict[str, object] = json.loads(dead.evidence.path("verdict.json").read_text())
    return found


def sealed(dead: DeadRun) -> Verdict:
    keys = read_verifier_keys(public_key(dead.home))
    return verify_sealed(dead.evidence.directory, keys).verdict


def open_runs(dead: DeadRun) -> list[openruns.OpenRun]:
    return [held.run for held in openruns.left(dead.home)]


def test_it_is_undone_judged_sealed_and_recorded(tmp_path: Path, store: Store) -> None:
    dead = dead_run(tmp_path)
    found = recovered(dead, store)
    assert [each.undone for each in found.undone] == [True]
    assert not (tmp_path / "mark").exists()
    (finished,) = found.finished
    result = finished.result
    assert result is not None
    assert (result.verdict, result.interrupted, result.reasons[0]) == (Verdict.UNKNOWN, True, CUT_SHORT)
    assert result.measurement is not None
    audit = result.measurement.generator
    assert (audit.sent, audit.answered, audit.unanswered) == (301, 300, 1)
    assert result.measurement.generator.offered_per_s == pytest.approx(100, rel=0.02)  # --rate, not the file
    (step,) = result.steps
    assert (step.before_s, step.injected_s, step.verified) == (1.0, 1.001, None)
    assert step.undone_s is not None
    (check,) = result.checks
    assert check.verdict is Verdict.UNKNOWN
    assert "nobody was asked" in check.detail
    assert verdict(dead)["verdict"] == "unknown"
    assert {path.name for path in dead.evidence.directory.iterdir()} >= {
        "report.html", "junit.xml", "requests.parquet", "seal"
    }  # fmt: skip
    assert not dead.evidence.path(".room").exists()
    assert sealed(dead) is Verdict.PASS
    recorded = store.runs.get(dead.evidence.run)
    assert recorded is not None
    assert (recorded.verdict, recorded.interrupted) == (Verdict.UNKNOWN, True)
    assert open_runs(dead) == []


def test_the_second_time_there_is_nothing_to_do(tmp_path: Path, store: Store) -> None:
    dead = dead_run(tmp_path)
    recovered(dead, store)
    before = {path: path.read_bytes() for path in dead.evidence.directory.rglob("*") if path.is_file()}
    assert recovered(dead, store) == Recovery((), ())
    assert before == {
        path: path.read_bytes() for path in dead.evidence.directory.rglob("*") if path.is_file()
    }


class Killed(BaseException):
    """What no `except Exception` holds up, as little as a SIGKILL."""


@pytest.mark.parametrize(
    "moment",
    [
        "seatrial.run.execute.judged",
        "seatrial.run.conclusion.render_html",
        "seatrial.run.conclusion.junit",
        "seatrial.run.conclusion.verdict_document",
        "seatrial.run.conclusion.seal_evidence",
        "seatrial.run.unfinished.hand_over",
        "seatrial.run.execute.hand_over",
        "seatrial.run.openruns.HeldRun.forget",
    ],
)
def test_whoever_dies_while_finishing_leaves_it_to_the_next(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    dead = dead_run(tmp_path)

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(moment, die)
        with contextlib.suppress(Killed):
            recovered(dead, store)
    again = recovered(dead, store)
    done = again.finished or (None,)
    assert done[0] is None or done[0].result is not None
    assert verdict(dead)["verdict"] == "unknown"
    assert sealed(dead) is Verdict.PASS
    assert len(store.runs.newest()) == 1
    assert open_runs(dead) == []


def test_half_a_seal_is_made_anew(tmp_path: Path, store: Store) -> None:
    dead = dead_run(tmp_path)
    segments = dead.evidence.path("seal") / "segments"
    segments.mkdir(parents=True)
    (segments / f"{0:020d}.jsonl").write_bytes(b'{"torn": ')
    recovered(dead, store)
    assert sealed(dead) is Verdict.PASS


def test_a_fault_that_cannot_be_undone_makes_it_a_fail(tmp_path: Path, store: Store) -> None:
    dead = dead_run(tmp_path, undo=("sh", "-c", "exit 3"))
    found = recovered(dead, store)
    assert not found.all_undone
    (finished,) = found.finished
    assert finished.result is not None
    assert finished.result.verdict is Verdict.FAIL
    assert finished.result.steps[0].verified is False
    assert "failed with 3" in finished.result.steps[0].error


def test_the_rows_as_they_came_go_once_all_are_stored_and_judged(tmp_path: Path, store: Store) -> None:
    dead = dead_run(tmp_path)
    recovered(dead, store)
    assert not dead.evidence.path("spool").exists()
    assert len(read(dead.evidence.path("requests.parquet")).log) == 301
    assert sealed(dead) is Verdict.PASS


def test_killed_between_their_end_and_the_seal(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = dead_run(tmp_path)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(conclusion, "seal_evidence", killed)
        with pytest.raises(KeyboardInterrupt):
            recovered(dead, store)
    judged, shown = verdict(dead), dead.evidence.path("report.html").read_text()
    assert not dead.evidence.path("spool").exists()
    recovered(dead, store)
    assert verdict(dead) == judged
    assert dead.evidence.path("report.html").read_text() == shown
    assert sealed(dead) is Verdict.PASS
    assert open_runs(dead) == []


def test_a_damaged_spool_is_judged_up_to_the_damage(tmp_path: Path, store: Store) -> None:
    dead = dead_run(tmp_path)
    spool = dead.evidence.path("spool") / "worker-0.spool"
    spool.write_bytes(spool.read_bytes() + b"R\x10\x00\x00\x00" + bytes(30))
    (finished,) = recovered(dead, store).finished
    assert finished.result is not None
    assert any("is damaged at byte" in reason for reason in finished.result.reasons)
    assert finished.result.measurement is not None
    assert spool.exists()  # whoever looks into the damage needs it


def test_killed_before_anything_was_written(tmp_path: Path, store: Store) -> None:
    dead = dead_run(tmp_path)
    for path in dead.evidence.directory.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (finished,) = recovered(dead, store).finished
    assert finished.result is not None
    assert finished.result.reasons == (CUT_SHORT, "nothing had been started")
    assert verdict(dead)["verdict"] == "unknown"


def test_evidence_that_is_gone_is_recorded_as_gone(tmp_path: Path, store: Store) -> None:
    dead = dead_run(tmp_path)
    shutil.rmtree(dead.evidence.directory)
    recovered(dead, store)
    recorded = store.runs.get(dead.evidence.run)
    assert recorded is not None
    assert "is gone" in recorded.result["reasons"][1]
    assert open_runs(dead) == []


def test_what_cannot_be_finished_now_is_left_to_the_next(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = dead_run(tmp_path)

    def broken(_: Path) -> None:
        raise CannotStore("the run's journal: it cannot be read")

    with monkeypatch.context() as patch:
        patch.setattr("seatrial.run.unfinished.read_journal", broken)
        (run,) = open_runs(dead)
        assert recovered(dead, store).finished == (
            Finished(run, None, ("the run's journal: it cannot be read",)),
        )
    assert recovered(dead, store).finished[0].result is not None


def test_a_run_at_which_we_fail_blocks_no_other(tmp_path: Path, store: Store) -> None:
    dead = dead_run(tmp_path)
    dead.evidence.path("plan.json").write_text('{"written": "by another version"}')
    (finished,) = recovered(dead, store).finished
    assert finished.result is None
    assert finished.pending[0] == "seatrial itself failed at it: KeyError: 'experiment'"
    assert f"take away {dead.home}/open-runs/" in finished.pending[1]


def test_a_verdict_that_the_evidence_did_not_take_is_put_there_later(tmp_path: Path, store: Store) -> None:
    dead = dead_run(tmp_path)
    recovered(dead, store)
    decided = verdict(dead)
    for name in ("verdict.json", "report.html"):
        dead.evidence.path(name).unlink()
    shutil.rmtree(dead.evidence.path("seal"))
    run = openruns.OpenRun(
        dead.evidence.run, "crash", "shop", str(dead.evidence.directory), "2026-11-01T02:30:00+00:00", "", 1
    )
    with openruns.begin(dead.home, run) as held:
        held.keep(decided)
    recovered(dead, store)
    assert verdict(dead)["reasons"] == decided["reasons"]
    assert dead.evidence.path("report.html").exists()
    assert sealed(dead) is Verdict.PASS
    assert len(store.runs.newest()) == 1


def test_a_run_database_that_is_away_is_told_later(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = dead_run(tmp_path)

    def away(*_: object) -> bool:
        raise Unavailable("the run database is away")

    with monkeypatch.context() as patch:
        patch.setattr("seatrial.store.Store.record", away)
        (finished,) = recovered(dead, store).finished
        assert any("not in the run database yet" in line for line in finished.pending)
    assert store.runs.get(dead.evidence.run) is None
    recovered(dead, store)
    assert store.runs.get(dead.evidence.run) is not None
    assert open_runs(dead) == []


def of_a_search(dead: DeadRun) -> None:
    """Have it be one of the runs of an exploration."""
    with next(openruns.left(dead.home)) as held:
        run = replace(held.run, of_a_search=True)
        held.forget()
    openruns.begin(dead.home, run).close()


def test_a_run_of_a_search_is_finished_and_stands_in_no_history(tmp_path: Path, store: Store) -> None:
    dead = dead_run(tmp_path)
    of_a_search(dead)
    (finished,) = recovered(dead, store).finished
    assert finished.result is not None
    assert sealed(dead) is Verdict.PASS
    assert open_runs(dead) == []
    assert store.runs.newest() == []


def test_a_run_of_a_search_that_leaves_something_behind_is_told(tmp_path: Path, store: Store) -> None:
    dead = dead_run(tmp_path, undo=("sh", "-c", "exit 3"))
    of_a_search(dead)
    recovered(dead, store)
    assert [each.verdict for each in store.runs.newest()] == [Verdict.FAIL]


def test_one_that_goes_on_is_not_finished(tmp_path: Path, store: Store) -> None:
    dead = dead_run(tmp_path)
    conductor = openruns.left(dead.home)
    next(conductor)  # holds it
    assert recovered(dead, store).finished == ()
    with pytest.raises(BadInput, match="it still goes on"):
        finish_at(dead.evidence.directory, dead.home, reporters_of(store))
    conductor.close()
    result = finish_at(dead.evidence.directory, dead.home, reporters_of(store))
    assert result.verdict is Verdict.UNKNOWN
    assert not (tmp_path / "mark").exists()


def test_after_a_reboot_only_wall_clocks_can_be_compared() -> None:
    started = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
    undone = Instant(monotonic_ns=5 * 10**9, wall_ns=round((started + 60) * 1e9), boottime_ns=0)
    zero = Zero(ZERO_S, started)
    assert zero.since(undone, "another boot") == pytest.approx(60)
    assert zero.since(undone, boot_id()) == 5 - ZERO_S


@pytest.mark.parametrize("activated", [True, False])
def test_the_journal_of_faults_knows_what_the_runs_own_had_no_time_to_say(activated: bool) -> None:
    undo = Undo("command.run", {}, Role("worker", "process", {}, (), "/"), {}, "", "rm mark")
    state = EntryState.UNDONE if activated else EntryState.UNDO_FAILED
    entry = Entry(1, "s", "mark", undo, state, 0, activated, CONDUCTOR, None, None, "")
    at = {what: Instant(0, number * 10**9, 0) for number, what in enumerate(What)}
    if not activated:
        del at[What.UNDONE]
    planned = StepRecord("mark", "fault", "command.run", "worker", 1.0)
    step = with_its_undo(planned, Life.of(entry, at), Zero(0.0, 0.0))
    if activated:
        assert (step.before_s, step.injected_s, step.undone_s, step.error) == (1.0, 2.0, 5.0, "")
    else:
        assert (step.injected_s, step.verified) == (None, False)
        assert (step.left_behind, step.by_hand) == (True, "rm mark")
