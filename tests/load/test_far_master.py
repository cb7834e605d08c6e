"""The master's side of workers on other machines, with workers that are played."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before gevent

from seatrial.disk import file_digest
from seatrial.load import far_master
from seatrial.load.agreement import Agreement
from seatrial.load.assignment import Assignment
from seatrial.load.far_master import Fleet
from seatrial.load.fleetrecord import RECORD, FleetReader
from seatrial.load.offer import Offer
from seatrial.load.supplies import Pantry, Supply
from seatrial.load.trust import MASTER, SECRET, opened, sealed
from seatrial.load.versions import ScenarioCode, versions
from seatrial.model.arrivals import RateStep
from seatrial.model.quantities import Rate
from seatrial.waiting import wait_until

KEY = b"nobody-else-knows"


class Runner:
    """A runner whose workers answer each question as `answers` does; without one they are silent."""

    master_bind_host = "127.0.0.1"

    def __init__(self, *workers: str) -> None:
        self.clients = dict.fromkeys(workers)
        self.answers: dict[str, Callable[[Any], dict[str, Any] | None]] = {}
        self.said: list[tuple[str, Any]] = []
        self.key = KEY
        self.custom_messages: dict[str, Any] = {}
        self.pantries: dict[str, Pantry] = {}

    def register_message(self, kind: str, listener: Any) -> None:
        assert kind not in self.custom_messages, "Locust takes one listener, and raises for a second"
        self.custom_messages[kind] = self._listener = listener

    def send_message(self, _: str, data: Any, client_id: str) -> None:
        said = opened(KEY, MASTER, data)
        assert said is not None
        self.said.append((client_id, said))
        answer = (
            self.answers[client_id](said) if client_id in self.answers and said["kind"] == "ask" else None
        )
        answered = None
        if answer is not None:
            answered = sealed(self.key, client_id, kind="clock", asked=said["asked"], **answer)
        elif said["kind"] == "file":
            answered = sealed(self.key, client_id, kind="has", **self.pantries[client_id].take(said))
        if answered is not None:
            gevent.spawn(self._listener, msg=SimpleNamespace(node_id=client_id, data=answered))


def answering(ahead_s: float = 7.0, **other: Any) -> Callable[[Any], dict[str, Any]]:
    def answer(_: Any) -> dict[str, Any]:
        told = {"name": "web-2, pid 7", "versions": versions(), "clock": "its own", "ended": ""}
        return told | {"shown": time.monotonic() + ahead_s} | other

    return answer


def fleet(runner: Any, on_lost: Any = "continue", abort: Callable[[], None] = lambda: None) -> Fleet:
    return Fleet(runner, KEY, on_lost, abort)


def begun(runner: Any, folder: Path, of: Fleet) -> FleetReader:
    workers = tuple(runner.clients)
    of.begin(Assignment.starting(0.0, workers, folder, of.ahead_of_us(workers)), 60.0)
    return FleetReader(folder / RECORD)


def agreeing(runner: Any, folder: Path, of: Fleet, in_s: float) -> tuple[FleetReader, list[ValueError]]:
    """A test whose rate counts requests, with its zero `in_s` from now; and why it was refused."""
    offer = Offer((RateStep(0.0, Rate(100, 1.0)),), "even", 0, 1.0, 60.0, "requests")
    tasks: Any = [SimpleNamespace(name="buy", weight=1.0)]
    workers = tuple(runner.clients)
    refused: list[ValueError] = []
    of.begin(Assignment.starting(in_s, workers, folder, of.ahead_of_us(workers)), 60.0)
    of.agree(Agreement(offer, tasks), refused.append)
    return FleetReader(folder / RECORD), refused


def found(record: FleetReader, what: Callable[[FleetReader], Any]) -> Any:
    end_s = time.monotonic() + 30
    while not what(record):
        assert time.monotonic() < end_s
        gevent.sleep(0.02)
        record.poll()
    return what(record)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far_master, "LEASE_S", 1.5)
    monkeypatch.setattr(far_master, "_ASK_EVERY_S", 0.05)


def test_a_clock_is_known_before_the_start(tmp_path: Path) -> None:
    runner = Runner("w1")
    runner.answers["w1"] = answering(7.0)
    one = fleet(runner)
    assert one.ahead_of_us(["w1"])[0] == pytest.approx(7.0, abs=0.05)
    record = begun(runner, tmp_path, one)
    record.poll()
    assert [each.name for each in record.members] == ["web-2, pid 7"]
    assert record.clock(0).known
    one.finish(0.0)


def test_a_second_test_of_the_same_master_knows_its_clocks_too() -> None:
    runner = Runner("w1")
    runner.answers["w1"] = answering(7.0)
    for _ in range(2):
        one = fleet(runner)
        assert one.ahead_of_us(["w1"])[0] == pytest.approx(7.0, abs=0.05)
        one.close()


def test_another_version_is_refused_with_both() -> None:
    runner = Runner("w1")
    runner.answers["w1"] = answering(versions="seatrial 9.9, Locust 9.9.9")
    with pytest.raises(
        ValueError, match=r"web-2, pid 7 runs seatrial 9\.9, Locust 9\.9\.9, and the master seatrial"
    ):
        fleet(runner).ahead_of_us(["w1"])


def test_files_are_brought_to_who_is_trusted_and_runs_the_same_alone(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("id\n1\n")
    wanted = [Supply("data", str(tmp_path / "users.csv"), file_digest(tmp_path / "users.csv"), 5)]
    runner = Runner("w1")
    runner.answers["w1"] = answering(versions="seatrial 9.9, Locust 9.9.9")
    with pytest.raises(ValueError, match="runs seatrial 9"):
        fleet(runner).bring(wanted, ["w1"])
    assert "file" not in {said["kind"] for _, said in runner.said}
    runner = Runner("w1", "w2")
    runner.pantries = {"w1": Pantry(), "w2": Pantry()}
    runner.answers = {"w1": answering(), "w2": answering()}
    fleet(runner).bring(wanted, ["w1", "w2"])
    assert {client for client, said in runner.said if said["kind"] == "file"} == {"w1", "w2"}


def test_another_scenario_is_refused() -> None:
    runner = Runner("w1")
    runner.answers["w1"] = answering(scenario="theirs")
    with pytest.raises(
        ValueError, match="web-2, pid 7 has another scenario than the master; start it with -f -"
    ):
        Fleet(runner, KEY, "continue", lambda: None, ScenarioCode("ours")).ahead_of_us(["w1"])  # type: ignore[arg-type]


@pytest.mark.parametrize("theirs", [{}, {"steps": "9f"}, {"steps": "1a", "more": "2b"}])
def test_other_modules_of_the_same_scenario_are_refused_by_name(theirs: dict[str, str]) -> None:
    runner = Runner("w1")
    runner.answers["w1"] = answering(scenario="ours", modules=theirs)
    mine = ScenarioCode("ours", {"steps": "1a"})
    with pytest.raises(ValueError, match=r"pid 7 imports (steps|more) from other files than the master's"):
        Fleet(runner, KEY, "continue", lambda: None, mine).ahead_of_us(["w1"])  # type: ignore[arg-type]


def test_who_does_not_answer_or_has_another_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far_master, "_FIRST_WITHIN_S", 0.5)
    for key in (KEY, b"guessed"):
        runner = Runner("w1")
        runner.key = key
        if key != KEY:
            runner.answers["w1"] = answering()
        with pytest.raises(ValueError, match=f"no answer that could be trusted; has it the same {SECRET}"):
            fleet(runner).ahead_of_us(["w1"])


def test_a_clock_that_jumps_is_refused() -> None:
    runner, jumps = Runner("w1"), iter(range(100))

    def jumping(said: Any) -> dict[str, Any]:
        return answering(float(next(jumps)))(said)

    runner.answers["w1"] = jumping
    with pytest.raises(ValueError, match="cannot be told to 250 ms"):
        fleet(runner).ahead_of_us(["w1"])


def test_a_silent_worker_is_lost_and_found(tmp_path: Path) -> None:
    runner = Runner("w1", "w2")
    runner.answers = {"w1": answering(), "w2": answering()}
    one = fleet(runner, "redistribute")
    record = begun(runner, tmp_path, one)
    answer = runner.answers.pop("w2")
    (loss,) = found(record, lambda record: record.losses)
    assert (loss.index, loss.why) == (1, "nothing was heard of it for 1.5 s")
    assert record.taken[1] > 0
    orders = [(client, said) for client, said in runner.said if said["kind"] == "take"]
    assert [(client, said["share"], said["part"], said["of"]) for client, said in orders] == [("w1", 1, 0, 1)]
    runner.answers["w2"] = answer
    assert 1 in found(record, lambda record: record.again)
    one.finish(0.0)


def test_the_load_is_aborted_for_a_loss_where_that_was_asked_for(tmp_path: Path) -> None:
    runner, aborted = Runner("w1", "w2"), gevent.event.Event()
    runner.answers = {"w1": answering(), "w2": answering()}
    one = fleet(runner, "abort", aborted.set)
    begun(runner, tmp_path, one)
    runner.answers["w2"] = answering(ended="it heard nothing of the master for 5 s and stopped")
    assert aborted.wait(10)
    one.finish(0.0)


def test_all_hear_what_the_arrivals_of_all_have_made(tmp_path: Path) -> None:
    runner = Runner("w1", "w2")
    runner.answers = {"w1": answering(made=[[30, 60, 120]]), "w2": answering(made=[[10, 60, 360]])}
    one = fleet(runner)
    record, refused = agreeing(runner, tmp_path, one, 1.3)
    offer = found(record, lambda record: record.offer)
    assert (offer.counts, offer.per_arrival.mean, offer.per_arrival.arrivals) == ("arrivals", 3.0, 40)
    assert offer.shape[0].rate.per_second == pytest.approx(100 / 3)
    last = {client: said["agreed"] for client, said in runner.said}
    assert [len(last[each]) for each in ("w1", "w2")] == [2, 2]
    assert {found["mean"] for agreed in last.values() for found in agreed} == {3.0}
    assert refused == []
    one.finish(0.0)


def test_a_warm_up_that_shows_nothing_is_refused(tmp_path: Path) -> None:
    runner = Runner("w1", "w2")
    runner.answers = {"w1": answering(), "w2": answering(made=[[0, 0, 0]])}
    one = fleet(runner)
    _, refused = agreeing(runner, tmp_path, one, 1.0)
    wait_until(lambda: refused, 30.0, sleep=gevent.sleep)
    assert "in the warm-up of 1 s no arrival that makes any came to its end" in str(refused[0])
    one.finish(0.0)
