"""How far a standby is behind: bounds that hold the truth, and no figure where nobody can know one."""

from __future__ import annotations

import bisect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.measure.replication import replication_lag
from seatrial.model.looks import Look
from seatrial.model.replication import ServerSeen


def look(asked_s: float, lsn: int | None, *, primary: bool = False, took_s: float = 0.01) -> Look[ServerSeen]:
    seen = None if lsn is None else ServerSeen(primary, lsn)
    return Look(asked_s, asked_s + took_s, seen, "" if seen else "nobody answers")


@given(
    commits=st.lists(st.floats(0.001, 0.5), min_size=1, max_size=80),
    delay_s=st.floats(0.0, 3.0),
    every_s=st.floats(0.02, 0.5),
    took_s=st.floats(0.0, 0.1),
)
def test_the_bounds_hold_the_age_of_what_the_standby_shows(
    commits: list[float], delay_s: float, every_s: float, took_s: float
) -> None:
    """The primary commits now and then; the standby replays everything `delay_s` later."""
    instants, now_s = [], 0.0
    for pause in commits:
        now_s += pause
        instants.append(now_s)
    end_s = now_s + delay_s + 1

    def written(at_s: float) -> int:
        return bisect.bisect_right(instants, at_s)

    def age(at_s: float, lsn: int) -> float:
        """Since when the primary has had more than that; 0 if it has not."""
        return max(0.0, at_s - instants[lsn]) if written(at_s) > lsn else 0.0

    primary, standby, truths = [], [], []
    for number in range(int(end_s / every_s)):
        asked_s = number * every_s
        at_s = asked_s + took_s / 2
        primary.append(look(asked_s, written(at_s), primary=True, took_s=took_s))
        at_s += every_s / 3
        replayed = written(at_s - delay_s)
        standby.append(look(asked_s + every_s / 3, replayed, took_s=took_s))
        truths.append(age(at_s, replayed))
    found = replication_lag({"a": primary, "b": standby}, 0.0, 1e9)
    lags = [point.lag for point in found.points]
    for lag, truth in zip(lags, truths[-len(lags) :] if lags else [], strict=True):
        assert lag.lower_s - 1e-6 <= truth <= lag.upper_s + 1e-6


def test_a_standby_that_is_cut_off_from_its_primary_falls_behind_second_by_second() -> None:
    primary = [look(at / 10, 100 + at, primary=True) for at in range(100)]
    standby = [look(at / 10 + 0.05, 100 + min(at, 30)) for at in range(100)]
    found = replication_lag({"a": primary, "b": standby}, 0.0, 10.0)
    worst = found.worst
    assert worst is not None
    assert 6.7 < worst.lower_s < worst.upper_s < 7.1
    assert found.unmeasured == ()


def test_with_nothing_written_nothing_is_behind() -> None:
    primary = [look(at / 10, 100, primary=True) for at in range(100)]
    standby = [look(at / 10 + 0.05, 100) for at in range(100)]
    worst = replication_lag({"a": primary, "b": standby}, 0.0, 10.0).worst
    assert worst is not None
    assert worst.lower_s == 0
    assert worst.upper_s < 0.2


def test_while_a_server_is_away_there_is_no_figure() -> None:
    primary = [look(at / 10, 100 + at, primary=True) for at in range(100)]
    standby = [look(at / 10 + 0.05, None if 30 <= at < 60 else 100 + at) for at in range(100)]
    found = replication_lag({"a": primary, "b": standby}, 0.0, 10.0)
    (gap,) = found.unmeasured
    assert (gap.begin_s, gap.end_s) == pytest.approx((2.96, 6.05))
    assert gap.why == "nobody answers"
    assert not [point for point in found.points if 3.1 < point.at_s < 6.0]
    nobody = replication_lag({"a": primary, "b": [look(at / 10, None) for at in range(100)]}, 0.0, 10.0)
    assert nobody.worst is None
    assert nobody.unmeasured_s == 10.0


def test_what_a_lost_primary_had_written_to_nobody_is_no_lag() -> None:
    """`a` dies at 3 s with 10 more than `b` has; `b` leads from 5 s on, and `a` is back as its standby at 7 s."""
    was_primary = [look(at / 10, 100 + at + (10 if at > 25 else 0), primary=True) for at in range(30)]
    away = [look(at / 10, None) for at in range(30, 70)]
    follows = [look(at / 10, 130 + (at - 50)) for at in range(70, 100)]
    leads = [look(at / 10 + 0.05, 130 + max(0, at - 50), primary=at >= 50) for at in range(30, 100)]
    before = [look(at / 10 + 0.05, 100 + at) for at in range(30)]
    found = replication_lag({"a": was_primary + away + follows, "b": before + leads}, 0.0, 10.0)
    later = [point.lag for point in found.points if point.at_s > 7.0]
    assert later
    assert max(lag.lower_s for lag in later) == 0
    assert [(round(gap.begin_s), round(gap.end_s)) for gap in found.unmeasured] == [(3, 7)]


def test_what_was_behind_before_anybody_looked_is_behind_since_nobody_knows_when() -> None:
    primary = [look(at / 10, 500, primary=True) for at in range(50)]
    standby = [look(at / 10 + 0.05, 400) for at in range(50)]
    found = replication_lag({"a": primary, "b": standby}, 0.0, 5.0)
    assert found.points == ()
    assert found.unmeasured_s == 5.0
