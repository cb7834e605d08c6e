"""Live figures and guards over a growing request log."""

from tests.support.rows import log_of, rows_of

from seatrial.model.experiment import Guard
from seatrial.model.quantities import Duration, Ratio
from seatrial.model.requestlog import RequestLog
from seatrial.run.live import LiveMeasurement


def rows(start: float, end: float, *, ok: bool = True, latency_s: float = 0.001) -> RequestLog:
    """100 a second due in [start, end)."""
    found = [
        {"intended": due, "sent": due, "ended": due + latency_s, "ok": ok, "status": 200, "name": "", "served_by": "",
         "error": "", "worker": "", "key": None}
        for due in (index / 100 for index in range(round(start * 100), round(end * 100)))
    ]  # fmt: skip
    return log_of(found)


def guard(**conditions: object) -> Guard:
    return Guard.model_validate({"for": Duration(3.0), **conditions})


def breach_at(live: LiveMeasurement, batches: list[RequestLog]) -> float | None:
    """Feed a batch of a tenth of a second at a time; the instant at which a guard gave way."""
    for index, batch in enumerate(batches, start=1):
        live.add(batch, index / 10)
        if live.breach(index / 10):
            return index / 10
    return None


def test_figures_count_what_is_decided() -> None:
    live = LiveMeasurement(deadline_s=1.0)
    live.add(rows(0, 5), 5.0)
    live.add(rows(5, 6, ok=False), 6.0)
    figures = live.figures(6.0)
    assert (figures.good, figures.bad) == (500, 100)
    assert abs(figures.offered_per_s - 100) <= 1
    assert abs(figures.achieved_per_s - 100) <= 1
    assert figures.recent_bad is not None
    assert abs(figures.recent_bad - 0.5) < 0.02


def test_figures_of_nothing() -> None:
    figures = LiveMeasurement(deadline_s=1.0).figures(3.0)
    assert (figures.good, figures.bad, figures.p95_ms, figures.recent_bad) == (0, 0, None, None)


def test_a_guard_gives_way_once_its_condition_has_held_for_its_time() -> None:
    good = [rows(tenth / 10, (tenth + 1) / 10) for tenth in range(20)]
    bad = [rows(tenth / 10, (tenth + 1) / 10, ok=False) for tenth in range(20, 80)]
    instant = breach_at(LiveMeasurement(1.0, [guard(errors=Ratio(0.9))]), good + bad)
    # bad from 2.0 s on; above 90 % of the last second from 2.9 s on; for 3 s
    assert instant is not None
    assert 5.8 <= instant <= 6.1


def test_a_guard_forgives_what_does_not_last() -> None:
    batches = [
        rows(tenth / 10, (tenth + 1) / 10, ok=not 20 <= tenth < 45 and not 50 <= tenth < 75)
        for tenth in range(100)
    ]
    assert breach_at(LiveMeasurement(1.0, [guard(errors=Ratio(0.9))]), batches) is None


def test_a_latency_guard_counts_the_unanswered_at_their_deadline() -> None:
    unanswered = [rows(tenth / 10, (tenth + 1) / 10, latency_s=float("nan"), ok=False) for tenth in range(60)]
    assert breach_at(LiveMeasurement(1.0, [guard(p95=Duration(0.9))]), unanswered) is not None


def test_a_guard_aborts_nothing_for_what_the_generator_failed_at_itself() -> None:
    def never_sent(start: float, end: float) -> RequestLog:
        table = rows_of(rows(start, end, ok=False))
        for row in table:
            row |= {"sent": None, "ended": None, "status": 0, "error": "dropped: no local port left"}
        return log_of(table)

    batches = [never_sent(tenth / 10, (tenth + 1) / 10) for tenth in range(100)]
    guards = [guard(errors=Ratio(0.5)), guard(p95=Duration(0.1))]
    assert breach_at(LiveMeasurement(1.0, guards), batches) is None


def test_a_few_answers_make_no_live_p95() -> None:
    live = LiveMeasurement(deadline_s=0.5)
    live.add(rows(0, 0.19), 1.0)
    assert live.figures(1.0).p95_ms is None


def test_the_live_p95_does_not_leave_out_whoever_was_never_answered() -> None:
    live = LiveMeasurement(deadline_s=0.5)
    live.add(rows(0, 4, latency_s=float("nan"), ok=False), 4.0)
    assert live.figures(4.0).p95_ms == 500.0
