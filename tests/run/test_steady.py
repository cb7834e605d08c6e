"""Is the target well? Asked until it is, and all through a run; what changes is noted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.listeners import http, listening
from tests.support.waiting import wait_until

from seatrial import files
from seatrial.drivers import reach
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role
from seatrial.model.target import Target
from seatrial.probes import Question
from seatrial.run.plan import make_plan
from seatrial.run.steady import SteadyState, require_healthy

ROLE = Role("cache", "redis", {"url": "redis://127.0.0.1"}, (), ".")
PING, GET = (
    Question(ProbeSpec.model_validate({"redis": asked, "on": "cache"}), ROLE) for asked in ("PING", "GET x")
)


class Service:
    """Answers each question as a test has it, and remembers who was asked."""

    def __init__(self) -> None:
        self.wrong: dict[str, list[str]] = {}  # question → what is wrong, one answer after the other
        self.asked: list[str] = []
        self.noted: list[tuple[str, str]] = []

    def answer(self, question: Question) -> str:
        name = question.probe.question
        self.asked.append(name)
        said = self.wrong.get(name, [""])
        return said.pop(0) if len(said) > 1 else said[0]

    def note(self, event: str, details: dict[str, str]) -> None:
        self.noted.append((event, details["wrong"]))

    def steady_state(self, *questions: Question) -> SteadyState:
        return SteadyState(questions, self.note, self.answer, every_s=0.001)


@pytest.fixture
def target() -> Service:
    return Service()


def test_it_is_well_when_every_answer_is_good(target: Service) -> None:
    assert target.steady_state(PING, GET).wait_until_well(0.0, threading.Event()) == ""
    assert target.asked == ["PING", "GET x"]


def test_it_is_asked_until_it_is_well(target: Service) -> None:
    target.wrong["PING"] = ["refused", "refused", ""]
    assert target.steady_state(PING).wait_until_well(30.0, threading.Event()) == ""
    assert len(target.asked) == 3


def test_what_is_wrong_when_the_time_is_over_is_told(target: Service) -> None:
    target.wrong["GET x"] = ["no answer"]
    assert target.steady_state(PING, GET).wait_until_well(0.0, threading.Event()) == "no answer"


def test_nobody_waits_for_it_who_has_asked_for_the_end(target: Service) -> None:
    target.wrong["PING"] = ["refused"]
    stop = threading.Event()
    stop.set()
    assert target.steady_state(PING).wait_until_well(3600.0, stop) == "refused"


def test_during_a_run_only_changes_are_noted_and_the_last_answer_is_known(target: Service) -> None:
    target.wrong["PING"] = ["", "refused", "refused", "", "timed out"]
    state = target.steady_state(PING)
    assert state.wrong(PING) == "", "it was not asked yet"
    state.start()
    wait_until(lambda: len(target.noted) == 3, what="its changes")
    state.stop()
    assert target.noted == [("probe.unwell", "refused"), ("probe.well", ""), ("probe.unwell", "timed out")]
    assert state.wrong(PING) == "timed out"
    asked = len(target.asked)
    state.stop()
    assert len(target.asked) == asked, "it is asked no more"


def test_what_our_own_machine_lacks_says_nothing_against_the_target(target: Service) -> None:
    target.wrong["PING"] = ["own: too many open files: redis PING"]
    state = target.steady_state(PING)
    state.start()
    wait_until(lambda: bool(target.noted), what="an answer")
    state.stop()
    assert state.wrong(PING) == ""


def test_without_a_question_nobody_is_asked(target: Service) -> None:
    state = target.steady_state()
    state.start()
    state.stop()
    assert target.asked == []


# whether it is in service at all


def waited_for(base_url: str, *allow: str, http: str = "1.1") -> Any:
    """As much of a plan as the question needs."""
    target = Target(target="shop", base_url=base_url, allow=allow)
    experiment = SimpleNamespace(load=SimpleNamespace(http=http))
    return SimpleNamespace(base_url=base_url, target=target, experiment=experiment)


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
