"""What is measured of a log, and that it is told."""

from __future__ import annotations

import numpy as np
import pytest

from seatrial.measure.selection import Moment, Selection, instant_of
from seatrial.model.problems import BadInput
from seatrial.model.requestlog import Coded, RequestLog

ZERO = 1_767_225_600.0  # 2026-01-01T00:00:00Z


def log() -> RequestLog:
    status = np.array([200, 404, 503, 0], dtype=np.int16)
    at, nothing = np.arange(4.0), Coded(np.zeros(4, dtype=np.int32), ("",))
    name = Coded.of(["GET /a", "GET /b", "POST /a", "GET /a"])
    return RequestLog(at, at, at, status == 200, status, name, nothing, nothing, nothing)


@pytest.mark.parametrize(
    ("statuses", "kept"),
    [
        ((), [200, 404, 503, 0]),
        (("200",), [200, 0]),
        (("5xx",), [503, 0]),
        (("200-499",), [200, 404, 0]),
        (("!404",), [200, 503, 0]),
        (("!0",), [200, 404, 503]),
        (("4xx", "!404"), [0]),
    ],
)
def test_answers_are_chosen_and_what_has_none_stays(statuses: tuple[str, ...], kept: list[int]) -> None:
    assert Selection(statuses=statuses).of(log()).status.tolist() == kept


def test_names_are_patterns() -> None:
    chosen = Selection(names=("GET *",)).of(log())
    assert chosen.name.texts() == ["GET /a", "GET /b", "GET /a"]
    assert Selection(names=("POST /a", "GET /b")).of(log()).intended.tolist() == [1.0, 2.0]
    assert Selection(names=("GET *",)).said(3, 4) == (
        "3 of 4 requests are measured: those of the names and answers asked for",
    )


@pytest.mark.parametrize(
    ("text", "zoned", "seconds"),
    [
        ("90s", True, 90.0),
        ("2026-01-01T00:01:00Z", True, 60.0),
        ("2026-01-01T01:01:00+01:00", True, 60.0),
        ("2026-01-01T00:01:00", False, 60.0),
    ],
)
def test_a_moment_is_placed_on_the_log_s_clock(text: str, zoned: bool, seconds: float) -> None:
    assert Moment.parse("--since", text).seconds("--since", ZERO, zoned) == seconds


@pytest.mark.parametrize(
    ("text", "zero", "zoned", "said"),
    [
        ("soon", ZERO, True, "--since: 'soon' is neither"),
        ("2026-01-01T00:01:00", ZERO, True, "has no time zone and the log's dates have"),
        ("2026-01-01T00:01:00Z", ZERO, False, "the log's dates have no time zone"),
        ("2026-01-01T00:01:00Z", None, True, "this log has no dates"),
    ],
)
def test_a_moment_that_cannot_be_placed_is_refused(
    text: str, zero: float | None, zoned: bool, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        Moment.parse("--since", text).seconds("--since", zero, zoned)


def test_a_window_must_have_a_length_and_an_answer_a_form() -> None:
    moments = (Moment.parse("--since", "9s"), Moment.parse("--until", "9s"))
    with pytest.raises(BadInput, match="--until is not after --since"):
        Selection(*moments).window(None, True)
    with pytest.raises(BadInput, match="--status: 'well' is none of"):
        Selection(statuses=("well",))


def test_second_zero_is_told_with_the_zone_that_the_log_has() -> None:
    assert instant_of(ZERO, True) == "2026-01-01T00:00:00.000Z"
    assert instant_of(ZERO, False) == "2026-01-01T00:00:00.000"
    assert instant_of(None, True) is None
    assert instant_of(1e300, True) is None
