"""Phases of a failover, from signs alone."""

import pytest

from seatrial.measure.failover import split_failover
from seatrial.model.failover import Sign, What
from seatrial.model.result import Failover

NOTICED = Sign(2.446, What.NOTICED, "db-1", "db-1", "Postgresql is not running.")
LEADS = Sign(2.486, What.LEADS, "db-2", "db-2", "promoted self to leader by acquiring session lock")
WRITABLE = Sign(2.528, What.WRITABLE, "db-2", "db-2", "database system is ready to accept connections")
ROUTED = Sign(2.632, What.ROUTED, "db-2", "east.db-proxy", "Server primary/db-2 is UP")


def split(*signs: Sign) -> Failover:
    found = split_failover("crash", 2.268, 60.0, signs)
    assert found is not None
    return found


def lengths(found: Failover) -> list[float | None]:
    return [None if phase.length_s is None else round(phase.length_s, 3) for phase in found.phases]


def test_each_phase_begins_where_the_one_before_it_ended() -> None:
    found = split(ROUTED, WRITABLE, LEADS, NOTICED)
    assert [phase.name for phase in found.phases] == ["detect", "decide", "promote", "route"]
    assert [phase.source for phase in found.phases] == ["db-1", "db-2", "db-2", "east.db-proxy"]
    assert lengths(found) == [0.178, 0.04, 0.042, 0.104]
    assert found.length_s == pytest.approx(2.632 - 2.268)


def test_an_end_that_nobody_logged_makes_two_lengths_unknown() -> None:
    assert lengths(split(NOTICED, LEADS, ROUTED)) == [0.178, 0.04, None, None]
    assert split(NOTICED, LEADS, ROUTED).length_s is None
    assert lengths(split(LEADS, WRITABLE, ROUTED)) == [None, None, 0.042, 0.104]


def test_a_proxy_may_lead_to_the_new_primary_before_it_opens() -> None:
    early = Sign(2.5, What.ROUTED, "db-2", "east.db-proxy", "")
    found = split(NOTICED, LEADS, WRITABLE, early)
    assert lengths(found)[3] == -0.028
    assert found.length_s == pytest.approx(2.528 - 2.268)


def test_only_the_new_primary_counts_and_only_after_it_leads() -> None:
    former = Sign(2.5, What.WRITABLE, "db-1", "db-1", "")
    before = Sign(2.4, What.ROUTED, "db-2", "east.db-proxy", "")
    assert lengths(split(NOTICED, LEADS, former, before)) == [0.178, 0.04, None, None]


def test_the_aftermath_is_not_taken_for_the_detection() -> None:
    late = Sign(2.7, What.NOTICED, "db-1", "east.db-proxy", "Server primary/db-1 is DOWN")
    assert lengths(split(LEADS, WRITABLE, ROUTED, late))[0] is None


def test_without_any_sign_there_was_no_failover() -> None:
    assert split_failover("crash", 2.268, 60.0, ()) is None
    assert split_failover("crash", 3.0, 60.0, (NOTICED, LEADS)) is None
