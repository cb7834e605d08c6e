"""An access log as a load: what is sent of it, when, and what is never taken from it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.measure.importers import read
from seatrial.measure.importers.importer import Told
from seatrial.model.problems import BadInput
from seatrial.model.replay import Replay
from seatrial.run import replay
from seatrial.run.evidence import Evidence
from seatrial.run.replay import Replayed, copied, replayed, spread

HAPROXY = (
    "10.0.0.1:1 [28/Nov/2026:22:00:{second:06.3f}] web app/a 0/0/1/2/3 {status} 9 - - ---- 1/1/1/1/0 0/0 "
    '"{request} HTTP/1.1"\n'
)
NGINX = '10.0.0.1 - - [28/Nov/2026:22:00:{second:02d} +0000] "{request} HTTP/1.1" {status} 9 "-" "curl"\n'


def replay_of(
    directory: Path, text: str, warmup_s: float = 0.0, duration_s: float = 3.0, **keys: Any
) -> Replayed:
    path = directory / "access.log"
    path.write_text(text)
    wanted = Replay.model_validate({"log": "access.log", **keys})
    return replayed(read(path, told=Told(whole=True)), wanted, path, warmup_s, duration_s)


def haproxy(*lines: tuple[float, str], status: int = 200) -> str:
    return "".join(HAPROXY.format(second=at, request=request, status=status) for at, request in lines)


REQUESTS = haproxy(*((1 + number / 10, f"GET /orders/{number}?full=1") for number in range(40)))


def test_each_request_is_due_when_it_came_and_is_what_it_was(tmp_path: Path) -> None:
    found = replay_of(tmp_path, REQUESTS)
    assert found.instants == pytest.approx(np.arange(30) / 10, abs=0.002)
    assert found.rows[7] == ("GET", "/orders/7?full=1", "GET /orders/*", "200")
    assert next(iter(found.told())) == "arrivals are those of access.log (haproxy): 30 requests"


def test_the_beginning_of_the_log_is_the_warm_up(tmp_path: Path) -> None:
    found = replay_of(tmp_path, REQUESTS, warmup_s=1.0, duration_s=2.0)
    assert found.instants[0] == -1.0
    assert found.rows[10][1] == "/orders/10?full=1"
    assert found.instants[10] == pytest.approx(0.0, abs=0.002)


@pytest.mark.parametrize(
    ("speed", "times", "wanted"), [(1, 1, 30), (2, 1, 20), (1, 2, 60), (1, 0.5, 15), (2, 1.5, 30)]
)
def test_time_and_rate_are_scaled(tmp_path: Path, speed: float, times: float, wanted: int) -> None:
    found = replay_of(tmp_path, REQUESTS, duration_s=3.0 if speed == 1 else 1.0, speed=speed, times=times)
    assert len(found.instants) == pytest.approx(wanted, abs=1)
    assert len(found.rows) == len(found.instants)
    assert np.all(np.diff(found.instants) >= 0)


def test_the_rate_is_a_mean_over_all_of_warm_up_and_duration(tmp_path: Path) -> None:
    """Also where requests came at one instant alone, which has no length."""
    early = haproxy((1, "GET /a"), (4.5, "GET /b"), (4.5, "GET /c"), (9, "GET /d"))
    assert replay_of(tmp_path, early, 1.0, 3.0).rate.rate.per_second == pytest.approx(3 / 4)
    assert replay_of(tmp_path, early, 0.0, 3.0).rate.rate.per_second == pytest.approx(1 / 3)


@pytest.mark.parametrize("times", [1, 0.1])
def test_a_log_with_nothing_in_the_measured_part_is_refused(tmp_path: Path, times: float) -> None:
    text = haproxy(*((1 + number / 10, f"GET /{number}") for number in range(10)), (60, "GET /last"))
    told = "none of its requests comes in the 20 s that are measured, after a warm-up of 5 s; change either"
    with pytest.raises(BadInput, match=told):
        replay_of(tmp_path, text, warmup_s=5.0, duration_s=20.0, times=times)


def test_too_many_copies_are_refused_before_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand times a million requests would take all memory, and what lies behind the end is not sent."""
    monkeypatch.setattr(replay, "_MOST", 2_000)
    made: list[int] = []
    between = replay._between

    def counted(gaps: Any, copies: Any) -> Any:
        made.append(int(copies.sum()))
        return between(gaps, copies)

    monkeypatch.setattr(replay, "_between", counted)
    with pytest.raises(BadInput, match="30,000 requests are more than the 2,000 that are replayed"):
        replay_of(tmp_path, REQUESTS, times=1000)
    assert len(replay_of(tmp_path, REQUESTS, duration_s=0.15, times=1000).rows) == pytest.approx(1_500, abs=2)
    assert made == [2_000]


def test_only_methods_that_change_nothing_are_sent_unless_others_are_named(tmp_path: Path) -> None:
    lines = haproxy(
        *((1 + number / 10, ("GET" if number % 2 else "POST") + f" /{number}") for number in range(40))
    )
    found = replay_of(tmp_path, lines)
    assert {row[0] for row in found.rows} == {"GET"}
    assert "left out of it: 20 POST" in list(found.told())
    both = replay_of(tmp_path, lines, methods=["GET", "POST"])
    assert {row[0] for row in both.rows} == {"GET", "POST"}


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("http://evil.example/a?b=1", "/a?b=1"),
        ("//evil.example/a", "/evil.example/a"),
        ("/\\\\evil.example", "/evil.example"),
        ("https://evil.example", "/"),
        ("http://user:secret@evil.example:99/", "/"),
    ],
)
def test_a_host_is_never_taken_from_the_log(tmp_path: Path, target: str, path: str) -> None:
    found = replay_of(tmp_path, haproxy(*((1 + number, f"GET {target}") for number in range(4))))
    assert {row[1] for row in found.rows} == {path}


def test_requests_of_one_second_are_spread_over_it_which_is_said(tmp_path: Path) -> None:
    text = "".join(
        NGINX.format(second=second, request=f"GET /{number}", status=404)
        for second in range(4)
        for number in range(5)
    )
    found = replay_of(tmp_path, text)
    assert np.max(np.diff(found.instants)) < 0.25
    assert found.rows[0][3] == "404"
    assert any("when it ended then" in line for line in found.told())


@pytest.mark.parametrize(
    ("text", "keys", "told"),
    [
        (haproxy((1, "POST /a"), (9, "POST /b")), {}, "none of its requests is sent: 2 POST"),
        (
            haproxy((1, "GET /a"), (2, "GET /b")),
            {},
            "its requests last for 1 s, and warm-up and duration for 3 s",
        ),
        ("intended,sent,ended,ok,name\n0.0,0.0,0.01,true,GET /\n", {}, "has no requests to replay"),
    ],
)
def test_what_cannot_be_replayed_is_told(tmp_path: Path, text: str, keys: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        replay_of(tmp_path, text, **keys)


def test_what_the_generator_is_given_is_in_the_evidence(tmp_path: Path) -> None:
    found, evidence = replay_of(tmp_path, REQUESTS), Evidence(tmp_path)
    found.write(evidence)
    assert np.array_equal(np.load(found.instants_in(evidence), allow_pickle=False), found.instants)
    data = found.data_in(evidence)
    with data.path.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert (tuple(header), list(map(tuple, rows))) == (data.columns, list(found.rows))
    assert (data.rows, data.order) == (len(found.instants), "unique")


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60).map(sorted), st.sampled_from([0.001, 1.0]))
def test_what_is_spread_stays_in_order_and_within_the_clock_s_doubt(seconds: list[int], width: float) -> None:
    at_s = np.array(seconds, dtype=np.float64)
    moved = spread(at_s, width)
    assert np.all(np.diff(moved) > 0)
    assert np.all((moved >= at_s) & (moved < at_s + width))


@given(st.integers(1, 500), st.floats(0.01, 20))
def test_so_many_times_as_many_are_sent_evenly_over_all(size: int, times: float) -> None:
    copies = copied(size, times)
    until = np.cumsum(copies)
    assert np.all(np.abs(until - np.arange(1, size + 1) * times) <= 1.001)
