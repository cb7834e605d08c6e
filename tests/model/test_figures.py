import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seatrial.model.figures import allowed, exactly, interval, latency, named, number, share

LENGTHS = st.floats(min_value=0, max_value=1e5)


def value_of(text: str) -> float:
    return float(text.replace(",", ""))


@pytest.mark.parametrize(
    ("lower", "upper", "unit", "shown"),
    [
        (1.2079, 1.2379, "s", "1.20 … 1.24 s"),
        (0.0, 0.0, "s", "0 s"),
        (0.0, 0.0123, "s", "0 … 12.3 ms"),
        (0.2931, 0.3057, "s", "293 … 306 ms"),
        (24.991, 25.016, "s", "24.99 … 25.02 s"),
        (184.2, 184.2, "ms", "184 ms"),
        (0.0267, 0.0267, "ratio", "2.67%"),
        (166.67, 166.67, "per_s", "167/s"),
        (12.3, math.inf, "s", "12.3 s or more"),
        (0.0, math.inf, "s", "not known"),
        (math.inf, math.inf, "ms", "not known"),
    ],
)
def test_interval(lower: float, upper: float, unit: str, shown: str) -> None:
    assert str(interval(lower, upper, unit)) == shown


def test_brackets_for_places_without_drawings() -> None:
    assert interval(1.2, 1.24, "s").bracketed == "[1.20, 1.24] s"
    assert interval(12.3, math.inf, "s").bracketed == "[12.3, ∞) s"
    assert interval(3, 3, "ms").bracketed == "3.00 ms"


def test_a_bound_just_beyond_its_target_is_never_shown_as_the_target() -> None:
    assert str(interval(4.9, 5.0004, "s", 5.0)) == "4.90 … 5.01 s"
    assert str(interval(900.00004, 900.00004, "ms", 900.0)) == "900.00004 ms"


@given(LENGTHS, LENGTHS)
def test_what_is_shown_still_holds_the_true_interval(one: float, other: float) -> None:
    lower, upper = sorted((one, other))
    assume(upper > lower)
    shown = interval(lower, upper, "s")
    factor = 1000 if shown.unit == " ms" else 1
    assert value_of(shown.lower) <= lower * factor * (1 + 1e-8) + 1e-8
    assert value_of(shown.upper) >= upper * factor * (1 - 1e-8) - 1e-8


@given(LENGTHS, LENGTHS, st.floats(min_value=0.001, max_value=1e4))
def test_rounding_never_carries_a_bound_across_its_target(one: float, other: float, target: float) -> None:
    lower, upper = sorted((one, other))
    assume(all(abs(end - target) > 1e-6 * target for end in (lower, upper)))
    shown = interval(lower, upper, "s", target)
    factor = 1000 if shown.unit == " ms" else 1
    assert (value_of(shown.lower) > target * factor) == (lower > target)
    assert (value_of(shown.upper) > target * factor) == (upper > target)


@given(st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True))
def test_almost_all_is_not_all_and_almost_none_is_not_none(fraction: float) -> None:
    assume(1e-9 < fraction < 1 - 1e-9)
    assert share(fraction) not in ("0%", "100%", "0.00%", "100.00%")


def test_targets_read_as_they_were_written() -> None:
    assert exactly(5.0, "s") == "5 s"
    assert exactly(0.25, "s") == "250 ms"
    assert allowed(900.0, "ms") == "≤ 900 ms"
    assert allowed(0.01, "ratio") == "≤ 1%"
    assert allowed(150.0, "per_s") == "≥ 150/s"
    assert number(0.00035, "s") == "0.350 ms"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("lost_from_crdts", 0.0, "lost from crdts 0"),
        ("acknowledged", 8_123.0, "acknowledged 8,123"),
        ("agreed_after_s", 0.0512, "agreed after 51.2 ms"),
        ("writes_per_s", 200.0, "writes 200/s"),
        ("stale_ratio", 0.025, "stale 2.50%"),
        ("agreed_after_s", math.nan, "agreed after –"),
    ],
)
def test_a_figure_is_told_by_its_name_and_the_unit_in_it(name: str, value: float, shown: str) -> None:
    assert named(name, value) == shown


@pytest.mark.parametrize(
    ("value_ms", "at_least_from_ms", "off_by_ms", "shown"),
    [
        (3.48, None, 0.0, "3.48 ms"),
        (2000.0, 2000.0, 0.0, "≥ 2,000 ms"),
        (None, None, 1000.0, "too few (9) to tell"),
        (0.0, None, 1000.0, "[0, 1,000] ms"),
        (2000.0, 2000.0, 1000.0, "[1,000, ∞) ms"),
    ],
)
def test_a_latency_says_what_is_not_known_of_it(
    value_ms: float | None, at_least_from_ms: float | None, off_by_ms: float, shown: str
) -> None:
    assert latency(value_ms, 9, at_least_from_ms, off_by_ms) == shown
