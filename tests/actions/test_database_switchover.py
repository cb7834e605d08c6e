from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.postgres import PatroniDouble, patroni
from tests.support.victims import LOOPBACK

from seatrial.drivers.patroni import leader
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role
from seatrial.undo import Undo, registry


@pytest.fixture
def role() -> Iterator[Role]:
    with patroni(db_1="leader", db_2="sync_standby") as url:
        member = {"url": url, "postmaster": "none.pid"}
        parameters = {"url": url, "members": {"db-1": member, "db-2": member}}
        yield Role("database.primary", "patroni", parameters, LOOPBACK, "/")


def switchover(**parameters: Any) -> Any:
    return registry.build("database.switchover", parameters)


def test_the_lead_goes_to_the_standby_and_back(role: Role) -> None:
    action = switchover()
    undo = action.prepare(role)
    assert undo.touches == "database.primary: leader db-1 → db-2"
    action.inject(undo)
    assert leader(role).name == "db-2"
    assert action.healthy(role), "the cluster is whole, and led by another than before"
    assert not action.gone(undo)
    recorded = Undo.from_json(undo.to_json())
    for _ in range(2):
        registry.build(recorded.fault, recorded.with_).undo(recorded)
        assert leader(role).name == "db-1"
    assert len(PatroniDouble.requests) == 2
    assert action.healthy(role)
    assert action.gone(undo)


def test_a_second_switchover_is_undone_to_where_the_first_began(role: Role) -> None:
    there, back = switchover(), switchover(to="db-1")
    first = there.prepare(role)
    there.inject(first)
    later = back.following(first)
    second = later.prepare(role)
    assert second.state["before"] == "db-1"
    later.inject(second)
    for undo in (second, first):
        switchover().undo(undo)
    assert len(PatroniDouble.requests) == 2, "the story ended where it began"


def test_nothing_happens_to_a_member_that_leads_already(role: Role) -> None:
    action = switchover(to="db-1")
    undo = action.prepare(role)
    action.inject(undo)
    action.undo(undo)
    assert PatroniDouble.requests == []


def test_the_new_leader_stays_when_that_is_wanted(role: Role) -> None:
    action = switchover(back=False)
    undo = action.prepare(role)
    action.inject(undo)
    action.undo(undo)
    assert leader(role).name == "db-2"
    assert action.gone(undo), "that is what there should be"


def test_an_undo_without_an_effect_hands_nothing_over(role: Role) -> None:
    action = switchover()
    action.undo(action.prepare(role))
    assert PatroniDouble.requests == []


def test_whom_nobody_can_hand_over_to_is_told(role: Role) -> None:
    with pytest.raises(BadInput, match=r"with\.to: 'db-3' is no member of database\.primary; did you mean"):
        switchover(to="db-3").prepare(role)
    PatroniDouble.members[1]["role"] = "replica"
    with pytest.raises(Unavailable, match="no healthy synchronous standby"):
        switchover().prepare(role)
    assert switchover(to="db-2").prepare(role).state["to"] == "db-2"
    PatroniDouble.members[1]["state"] = "stopped"
    with pytest.raises(Unavailable, match="no healthy db-2"):
        switchover(to="db-2").prepare(role)


def test_a_cluster_without_a_leader_hands_nothing_over(role: Role) -> None:
    action = switchover()
    undo = action.prepare(role)
    PatroniDouble.members[0]["state"] = "stopped"
    with pytest.raises(Unavailable, match="no running leader"):
        action.inject(undo)
