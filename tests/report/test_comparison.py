import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from seatrial.model.result import ObjectiveResult
from seatrial.model.verdict import Verdict
from seatrial.report import Dossier, compare, compared
from seatrial.report.change import Change, change, verdict_of
from seatrial.report.comparison import Conditions


def promise(lower: float | None, upper: float | None, unit: str = "s") -> ObjectiveResult:
    return ObjectiveResult("downtime", 5.0, lower, upper, unit, Verdict.PASS)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (promise(1.0, 2.0), promise(3.0, 4.0), Change.WORSE),
        (promise(3.0, 4.0), promise(1.0, 2.0), Change.BETTER),
        (promise(1.0, 2.0), promise(2.0, 3.0), Change.ALIKE),
        (promise(1.0, 2.0, "per_s"), promise(3.0, 4.0, "per_s"), Change.BETTER),
        (promise(1.0, 2.0), promise(None, None), Change.INCOMPARABLE),
        (promise(1.0, 2.0), None, Change.INCOMPARABLE),
        (promise(1.0, 2.0), promise(3.0, 4.0, "ms"), Change.INCOMPARABLE),
        (promise(7.0, 7.0), promise(8.0, 8.0), Change.HIGHER),
        (promise(8.0, 8.0), promise(7.0, 7.0), Change.LOWER),
        (promise(7.0, 7.0), promise(7.0, 7.0), Change.EQUAL),
    ],
)
def test_change(before: ObjectiveResult, after: ObjectiveResult | None, found: Change) -> None:
    assert change(before, after) is found


ENDS = st.tuples(st.floats(0, 100), st.floats(0, 100)).map(lambda ends: (min(ends), max(ends)))


@given(ENDS, ENDS)
def test_two_intervals_with_a_common_value_are_never_called_different(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    found = change(promise(*one), promise(*other))
    share_a_value = one[0] <= other[1] and other[0] <= one[1]
    assert not (share_a_value and found in (Change.BETTER, Change.WORSE))


def test_it_reads_objective_by_objective(make: Callable[[str], Dossier]) -> None:
    out = io.StringIO()
    Console(file=out, width=140).print(compare(compared(make("pass").result, make("fail").result)))
    lines = out.getvalue().splitlines()
    line = next(line for line in lines if line.startswith("downtime after rollback"))
    assert "[1.19, 1.21] s" in line
    assert "[7.39, 7.41] s" in line
    assert "worse" in line
    assert any("errors" in line and "higher, without bounds" in line for line in lines)


def test_an_outage_whose_end_was_never_seen_has_no_upper_end_when_read_back() -> None:
    assert change(promise(1.0, 2.0), promise(7.0, None)) is Change.WORSE
    assert change(promise(7.0, None), promise(1.0, 2.0)) is Change.BETTER
    assert change(promise(7.0, None), promise(1.0, None)) is Change.ALIKE


def test_another_rate_or_target_is_said_and_nothing_is_called_worse_for_it(
    make: Callable[[str], Dossier],
) -> None:
    before, after = make("pass").result, make("fail").result
    here = Conditions("x", "shop", "500/s", "a" * 64)
    for other, told in (
        (Conditions("x", "shop", "100/s", "a" * 64), ["different rates: 500/s and 100/s"]),
        (Conditions("x", "shop", "", "a" * 64), ["different rates: 500/s and unknown"]),
        (
            Conditions("y", "stage", "500/s"),
            ["different experiments: x and y", "different targets: shop and stage"],
        ),
    ):
        found = compared(before, after, (here, other))
        assert list(found.differences) == told
        assert found.verdict is Verdict.UNKNOWN
    edited = compared(before, after, (here, Conditions("x", "shop", "500/s", "b" * 64)))
    assert edited.remarks == ("the experiment file was changed between them",)
    assert edited.verdict is Verdict.FAIL
    assert compared(after, before, (here, here)).verdict is Verdict.PASS


def test_only_something_worse_fails_and_only_nothing_to_compare_is_unknown() -> None:
    assert verdict_of([Change.ALIKE, Change.WORSE, Change.INCOMPARABLE]) is Verdict.FAIL
    assert verdict_of([Change.ALIKE, Change.HIGHER, Change.INCOMPARABLE]) is Verdict.PASS
    assert verdict_of([Change.INCOMPARABLE]) is Verdict.UNKNOWN
    assert verdict_of([]) is Verdict.UNKNOWN
