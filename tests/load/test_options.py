from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load.offer import Offer
from seatrial.load.options import OPTIONS, LoadOptions, OfferedShape, Option, parse_shape, written
from seatrial.model.arrivals import RateStep
from seatrial.model.quantities import Rate

TENTHS = st.integers(1, 10_000).map(lambda tenths: tenths / 10)
RATES = st.builds(Rate, TENTHS, st.sampled_from([1.0, 60.0, 3600.0]))


@given(
    st.lists(
        st.tuples(TENTHS, RATES, st.one_of(st.none(), RATES)),
        min_size=1,
        max_size=5,
        unique_by=lambda step: step[0],
    )
)
def test_a_shape_survives_being_written(steps: list[tuple[float, Rate, Rate | None]]) -> None:
    at = [0.0, *sorted(at_s for at_s, _, _ in steps)]
    shape = tuple(RateStep(at_s, rate, to) for at_s, (_, rate, to) in zip(at, steps, strict=False))
    shape = (*shape, RateStep(at[-1] + 1, Rate(1, 1.0)))
    again = parse_shape(str(OfferedShape(shape)))
    assert [(step.rate, step.to) for step in again] == [(step.rate, step.to) for step in shape]
    assert [step.at_s for step in again] == pytest.approx([step.at_s for step in shape])
    offer = Offer(shape, "even", 0, 0.0, math.inf)
    assert Offer.of_plain(json.loads(json.dumps(offer.plain()))) == offer


def test_a_rate_may_count_requests() -> None:
    options = LoadOptions.parse({"rate": "requests:0s=600/min,5s=20/s", "warmup": "2s"})
    assert str(options.rate) == "requests:0s=600/min,5s=20/s"
    assert OfferedShape.parse(str(options.rate)) == options.rate
    assert (options.offer().counts, options.rate.peak_per_s) == ("requests", 20.0)


def test_a_rate_alone_is_a_shape() -> None:
    assert parse_shape("10000/min") == (RateStep(0.0, Rate(10000, 60.0)),)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("rate", "fast", "'fast' is not a rate; write it like 10000/min or 500/s"),
        ("rate", "0/s", "a load of nothing measures nothing"),
        ("rate", "5s=10/s", "starts at 0s"),
        ("rate", "0s=10/s,0s=20/s", "follow one another"),
        ("rate", "0s=10/s,", "is not a rate"),
        ("rate", "0s=10/s..", "'' is not a rate"),
        ("rate", "0s=10/s..20/s", "a ramp ends where the next step begins"),
        ("rate", "soon=10/s", "'soon' is not a duration"),
        ("rate", "requests:fast", "'fast' is not a rate"),
        ("rate", "requests:0s=0/s,5s=1/s", "a shape of requests begins with some"),
        ("rate", "requests:10/s", "is found out in the warm-up, and there is none; give it some time with"),
        ("arrivals", "odd", "neither even nor poisson"),
        ("seed", "-1", "not a whole number"),
        ("http", "3", "'3' is not one of 1.1, 2"),
        ("deadline", "0s", "longer than 0s"),
        ("deadline", "2", "is not a duration"),
        ("duration", "0s", "longer than 0s"),
        ("max_in_flight", "0", "would let nothing be sent"),
        ("request_log", "log.csv", "does not end in .parquet"),
    ],
)
def test_a_wrong_option_is_one_clear_line(name: str, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"^--") as caught:
        LoadOptions.parse({name: text})
    message = str(caught.value)
    assert message.startswith(f"--{name.replace('_', '-')}: ")
    assert says in message
    assert "\n" not in message


@given(st.lists(st.text(st.characters(codec="utf-8", categories=["L", "P"]), min_size=1), max_size=4))
def test_columns_survive_being_written(columns: list[str]) -> None:
    (option,) = (each for each in OPTIONS if each.name == "data_secret")
    assert option.read(written(columns)) == tuple(columns)


def test_defaults_are_harmless_and_endless() -> None:
    options = LoadOptions.parse({option.name: None for option in OPTIONS} | {"unrelated": 1})
    assert options.rate.steps[0].rate.per_second == 1.0
    assert options.duration == math.inf
    assert (options.request_log, options.spool) == (None, None)


@given(st.sampled_from(OPTIONS), st.text(max_size=30))
def test_no_text_is_more_than_a_value_error(option: Option, text: str) -> None:
    with suppress(ValueError):
        LoadOptions.parse({option.name: text})


def test_what_is_read() -> None:
    options = LoadOptions.parse(
        {"rate": " 0s=1/s,2s=3/s ", "deadline": "250ms", "duration": "1m", "request_log": "a/b.parquet"}
    )
    assert [step.at_s for step in options.rate.steps] == [0.0, 2.0]
    assert (options.deadline, options.duration) == (0.25, 60.0)
    assert options.request_log == Path("a/b.parquet").absolute()
    assert options.offer().duration_s == 60.0
