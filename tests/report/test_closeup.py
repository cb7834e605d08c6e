from collections.abc import Callable

import numpy as np
import pytest

from seatrial.model.requestlog import Coded, RequestLog
from seatrial.model.result import Bounds, Measurement, Outage
from seatrial.report import Dossier
from seatrial.report.closeup import MOST_CLOSEUPS, Fate, brackets, close_ups, fates


def measured(dossier: Dossier) -> tuple[RequestLog, Measurement]:
    assert dossier.log is not None
    assert dossier.result.measurement is not None
    return dossier.log, dossier.result.measurement


@pytest.mark.parametrize("kind", ["pass", "fail", "blackhole", "stall", "many", "long"])
def test_brackets_are_as_long_as_the_recorded_bounds(kind: str, make: Callable[[str], Dossier]) -> None:
    log, measurement = measured(make(kind))
    for one in close_ups(log, measurement.outages, 2.0):
        outage = measurement.outages[one.outage]
        for bracket, bounds in zip(one.brackets, (outage.perceived, outage.server), strict=True):
            assert bracket.outer.end_s - bracket.outer.start_s == pytest.approx(bounds.upper_s)
            inner = bracket.inner
            lower = 0.0 if inner is None else inner.end_s - inner.start_s
            assert lower == pytest.approx(bounds.lower_s)


@pytest.mark.parametrize("kind", ["pass", "fail", "many"])
def test_the_lower_bound_lies_within_the_upper_one(kind: str, make: Callable[[str], Dossier]) -> None:
    log, measurement = measured(make(kind))
    for one in close_ups(log, measurement.outages, 2.0):
        for bracket in one.brackets:
            assert bracket.inner is not None
            assert bracket.outer.start_s <= bracket.inner.start_s
            assert bracket.inner.end_s <= bracket.outer.end_s


def test_the_bracket_of_a_planted_outage_lies_where_it_was_planted(make: Callable[[str], Dossier]) -> None:
    log, measurement = measured(make("pass"))
    (one,) = close_ups(log, measurement.outages, 2.0)
    for bracket in one.brackets:
        assert bracket.inner is not None
        assert 19.98 < bracket.outer.start_s <= 20.0 <= bracket.inner.start_s < 20.02
        assert 21.18 < bracket.inner.end_s <= 21.2 <= bracket.outer.end_s < 21.22


def test_a_long_outage_keeps_its_ends_and_counts_what_is_left_out(make: Callable[[str], Dossier]) -> None:
    log, measurement = measured(make("long"))
    (one,) = close_ups(log, measurement.outages, 2.0)
    assert len(one.requests) <= 1500
    assert len(one.requests) + one.omitted == one.ordinals[-1] + 1
    assert np.all(np.diff(one.ordinals) > 0)
    outage = measurement.outages[0]
    for edge in (outage.start_s, outage.end_s):
        assert np.any(one.requests.intended == edge)


def test_only_the_longest_outages_are_drawn_and_in_order(make: Callable[[str], Dossier]) -> None:
    log, measurement = measured(make("many"))
    found = close_ups(log, measurement.outages, 2.0)
    assert len(found) == MOST_CLOSEUPS < len(measurement.outages)
    drawn = [one.outage for one in found]
    assert drawn == sorted(drawn)
    lengths = [outage.server.upper_s for outage in measurement.outages]
    assert min(lengths[i] for i in drawn) >= max(lengths[i] for i in range(len(lengths)) if i not in drawn)


def test_fates() -> None:
    nan = np.nan
    log = RequestLog(
        intended=np.zeros(5),
        sent=np.array([0.0, 0.0, 0.0, 0.0, nan]),
        ended=np.array([0.1, 0.1, 2.5, nan, nan]),
        ok=np.array([True, False, True, False, False]),
        status=np.zeros(5, np.int16),
        name=Coded.of("abcde"), served_by=Coded.of("abcde"), error=Coded.of("abcde"), worker=Coded.of("abcde"),
    )  # fmt: skip
    expected = [Fate.GOOD, Fate.FAILED, Fate.LATE, Fate.UNANSWERED, Fate.DROPPED]
    assert fates(log, 2.0).tolist() == expected


def test_of_an_outage_without_witnesses_only_the_requests_are_shown(make: Callable[[str], Dossier]) -> None:
    log, _ = measured(make("none"))
    outage = Outage("", 3.0, 4.0, Bounds(1.0, 1.1), Bounds(0.9, 1.2), 5, 1, 0.03)
    assert brackets(log, outage, 2.0) == ()
    (one,) = close_ups(log, (outage,), 2.0)
    assert len(one.requests) > 0


def test_nothing_to_draw() -> None:
    assert close_ups(RequestLog.concat([]), (), 2.0) == ()
