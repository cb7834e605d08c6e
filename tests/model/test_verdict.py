"""Unknown never counts as pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.model.verdict import Verdict, judge_bounds


@given(st.lists(st.sampled_from(Verdict)))
def test_merging(verdicts: list[Verdict]) -> None:
    merged = Verdict.merge(verdicts)
    if Verdict.FAIL in verdicts:
        assert merged is Verdict.FAIL
    elif verdicts and all(verdict is Verdict.PASS for verdict in verdicts):
        assert merged is Verdict.PASS
    else:
        assert merged is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [(0, 5, Verdict.PASS), (0, 5.01, Verdict.UNKNOWN), (5, 6, Verdict.UNKNOWN), (5.01, 6, Verdict.FAIL)],
)
def test_bounds_against_a_target_of_five(lower: float, upper: float, expected: Verdict) -> None:
    assert judge_bounds(lower, upper, 5) is expected


def test_exit_codes() -> None:
    assert [verdict.exit_code for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN)] == [0, 1, 2]
