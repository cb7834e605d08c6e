"""Segments of a rate's shape, as a file has them, and what they offer."""

import pytest
from pydantic import ValidationError

from seatrial.model.load import Load


def offered(*rate: object) -> list[str]:
    return [str(step) for step in Load.model_validate({"scenario": "x.py", "rate": list(rate)}).steps]


@pytest.mark.parametrize(
    ("segments", "steps"),
    [
        ([{"at": "0s", "rate": "10/s"}, {"at": "5s", "rate": "20/s"}], ["10/s from 0s", "20/s from 5s"]),
        (
            [{"at": "0s", "rate": "10/s"}, {"at": "5s", "rate": "90/s", "for": "2s"}],
            ["10/s from 0s", "90/s from 5s", "10/s from 7s"],
        ),
        ([{"from": "10/s", "to": "90/s", "over": "4s"}], ["10/s to 90/s from 0s", "90/s from 4s"]),
        (
            [{"from": "10/s", "to": "90/s", "over": "4s"}, {"to": "0/s", "over": "2s"}],
            ["10/s to 90/s from 0s", "90/s to 0/s from 4s", "0/s from 6s"],
        ),
        (
            [{"at": "0s", "rate": "600/min"}, {"at": "3s", "to": "40/s", "over": "9s", "steps": 3}],
            ["600/min from 0s", "600/min from 3s", "1500/min from 6s", "2400/min from 9s", "40/s from 12s"],
        ),
        (
            [
                {"from": "10/s", "to": "20/s", "over": "4s"},
                {"at": "6s", "rate": "90/s", "for": "1s"},
                {"to": "10/s", "over": "1s"},
            ],
            [
                "10/s to 20/s from 0s",
                "20/s from 4s",
                "90/s from 6s",
                "20/s to 10/s from 7s",
                "10/s from 8s",
            ],
        ),
    ],
)
def test_segments_follow_one_another(segments: list[object], steps: list[str]) -> None:
    assert offered(*segments) == steps


def test_one_ramp_needs_no_list() -> None:
    load = Load.model_validate({"scenario": "x.py", "rate": {"from": "1/s", "to": "3/s", "over": "2s"}})
    assert [str(step) for step in load.steps] == ["1/s to 3/s from 0s", "3/s from 2s"]


def test_a_load_is_read_again_from_what_it_is_written_as() -> None:
    """`plan.json` keeps it, and a run whose conductor was killed is finished from there."""
    load = Load.model_validate(
        {"scenario": "x.py", "rate": [{"at": "0s", "rate": "1/s"}, {"at": "2s", "to": "9/s", "over": "2s"}]}
    )
    assert Load.model_validate(load.model_dump(mode="json", by_alias=True, exclude_defaults=True)) == load


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, "is required and missing: how much is offered; or a log to replay"),
        ({"rate": "1/s", "replay": "a.log"}, "says when arrivals come, and so does 'rate'"),
        ({"replay": "a.log", "data": "x.csv"}, "the rows of a replay are the requests of its log"),
        ({"replay": "a.log", "arrivals": "poisson"}, "spaced as they were in its log"),
        ({"replay": {"log": "a.log", "methods": ["FETCH"]}}, "'FETCH' is no method that is sent"),
        ({"replay": {"log": "a.log", "speed": 0}}, "greater than 0"),
    ],
)
def test_either_a_rate_or_a_log_says_when_arrivals_come(keys: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Load.model_validate({"scenario": "x.py", **keys})
