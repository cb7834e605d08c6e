"""The delivery worker: what it does with every answer, and with every death."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.incidents.delivery import Backoff, Delivery
from seatrial.incidents.event import IncidentEvent, Json, Kind
from seatrial.incidents.sink import Refused, Sink, TryLater
from seatrial.model.problems import Unavailable
from seatrial.store import MessageState, OutboxMessage, Store

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


@dataclass
class Receiver(Sink):
    """A sink that answers what it is told to."""

    name: ClassVar[str] = "pagerduty"
    answers: list[Exception | None] = field(default_factory=list)
    got: list[str] = field(default_factory=list)

    @classmethod
    def render(cls, event: IncidentEvent) -> Json:
        return event.summary

    def send(self, event: IncidentEvent, message_id: str) -> str:  # a Sink's signature
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.got.append(message_id)
        return ""


@dataclass
class World:
    store: Store
    receiver: Receiver
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.delivery = Delivery(
            self.store.outbox,
            {self.receiver.name: self.receiver},
            Backoff(first_s=10, cap_s=40, attempts=4),
            now=lambda: self.now,
            draw=lambda: 0.0,
        )

    def enqueue(self, *messages: OutboxMessage) -> None:
        self.store.outbox.enqueue(messages, self.now)

    def states(self) -> list[str]:
        return [each.state.value for each in self.store.outbox.messages(newest_first=False)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Store(f"sqlite:///{tmp_path}/s.sqlite") as store:
        yield World(store, Receiver())


def message(name: str, kind: Kind = Kind.TRIGGER, key: str = "k", sink: str = "pagerduty") -> OutboxMessage:
    event = IncidentEvent(kind, key, NOW.isoformat(), name, "t", "x")
    return OutboxMessage(name, sink, kind.value, key, key, event.to_json())


def test_messages_are_told_in_order_and_once(world: World) -> None:
    world.enqueue(message("a"), message("b", Kind.RESOLVE), message("c"))
    assert world.delivery.drain() == 3
    assert world.receiver.got == ["a", "b", "c"]
    assert world.delivery.drain() == 0


def test_a_failure_is_tried_again_later_and_holds_back_what_follows(world: World) -> None:
    world.enqueue(message("a"), message("b", Kind.RESOLVE), message("other", key="other"))
    world.receiver.answers = [TryLater("HTTP 500")]
    assert world.delivery.drain() == 2
    assert world.receiver.got == ["other"]
    world.now += timedelta(seconds=9)
    assert world.delivery.drain() == 0
    world.now += timedelta(seconds=1)
    world.delivery.drain()
    assert world.receiver.got == ["other", "a", "b"]


def test_a_rate_limit_quiets_the_whole_sink_for_as_long_as_it_asks(world: World) -> None:
    world.enqueue(message("a"), message("other", key="other"))
    world.receiver.answers = [TryLater("HTTP 429", 30, whole_sink=True)]
    assert world.delivery.drain() == 1
    world.now += timedelta(seconds=29)
    assert world.delivery.drain() == 0
    world.now += timedelta(seconds=1)
    assert world.delivery.drain() == 2


def test_what_is_refused_is_parked_in_sight_and_its_resolve_with_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.enqueue(message("a"), message("b", Kind.RESOLVE), message("c"))
    world.receiver.answers = [Refused("HTTP 400: no such key")]
    with caplog.at_level(logging.ERROR):
        world.delivery.drain()
    assert world.states() == ["failed", "failed", "sent"]
    assert "seatrial incidents retry" in caplog.text
    first, second, _ = world.store.outbox.messages(newest_first=False)
    assert first.last_error == "HTTP 400: no such key"
    assert "nothing to resolve" in second.last_error


def test_what_was_parked_is_told_after_a_retry(world: World) -> None:
    world.enqueue(message("a"), message("b", Kind.RESOLVE))
    world.receiver.answers = [Refused("HTTP 401")]
    world.delivery.drain()
    assert world.store.outbox.requeue(world.now) == 2
    world.delivery.drain()
    assert world.receiver.got == ["a", "b"]


def test_it_gives_up_visibly(world: World) -> None:
    world.enqueue(message("a"))
    world.receiver.answers = [TryLater("HTTP 500")] * 4
    for _ in range(4):
        world.delivery.drain()
        world.now += timedelta(seconds=40)
    (parked,) = world.store.outbox.messages([MessageState.FAILED])
    assert parked.last_error == "gave up after 4 attempts: HTTP 500"


def test_a_defect_in_a_sink_does_not_stop_the_queue(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.enqueue(message("a"), message("other", key="other"))
    world.receiver.answers = [ZeroDivisionError("oops")]
    with caplog.at_level(logging.ERROR):
        assert world.delivery.drain() == 2
    assert "ZeroDivisionError" in caplog.text
    assert world.states() == ["pending", "sent"]


def test_a_worker_that_dies_between_telling_and_noting_it_is_followed_by_one_that_tells_again(
    world: World,
) -> None:
    world.enqueue(message("a"), message("b", Kind.RESOLVE))
    assert world.store.outbox.claim(["pagerduty"], world.now, timedelta(seconds=60)) is not None
    assert world.delivery.drain() == 0  # the dead worker's lease holds back the key
    world.now += timedelta(seconds=60)
    world.delivery.drain()
    assert world.receiver.got == ["a", "b"]


def test_a_sink_that_is_off_keeps_its_messages(world: World) -> None:
    world.enqueue(message("a", sink="pagerduty-escalation"), message("b"))
    world.delivery.drain()
    assert world.receiver.got == ["b"]
    assert world.states() == ["pending", "sent"]


def test_the_worker_survives_a_database_that_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.enqueue(message("a"))
    stop, claim = threading.Event(), world.store.outbox.claim
    troubles = [Unavailable("the run database does not answer")]

    def flaky(*arguments: object) -> object:
        if troubles:
            raise troubles.pop()
        stop.set()
        return claim(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(world.store.outbox, "claim", flaky)
    world.delivery.idle_s = 0.01
    world.delivery.run(stop)
    assert world.receiver.got == ["a"]
    assert "messages wait in the outbox" in caplog.text


@given(failures=st.integers(1, 10_000), draw=st.floats(0, 1, exclude_max=True))
def test_back_off_grows_to_its_cap_and_never_below_half_of_it(failures: int, draw: float) -> None:
    backoff = Backoff(first_s=1, cap_s=900)
    full = min(900.0, 2.0 ** min(failures - 1, 60))
    assert full / 2 <= backoff.delay_s(failures, draw) <= full
