from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.postgres import PatroniDouble, patch, patroni
from tests.support.victims import LOOPBACK

from seatrial.faults.database_settings import holds, inverse
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role
from seatrial.undo import Undo, registry

NOWHERE = "http://127.0.0.1:1"
Keys = st.sampled_from("abc")
Values = st.one_of(st.booleans(), st.integers(0, 3), st.text("xy", max_size=2))


def settings(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(
        Keys, st.recursive(leaves, lambda inner: st.dictionaries(Keys, inner, max_size=3)), max_size=3
    )


@given(now=settings(Values), change=settings(Values | st.none()))
def test_the_inverse_of_a_change_leads_back(now: dict[str, Any], change: dict[str, Any]) -> None:
    changed = copy.deepcopy(now)
    patch(changed, change)
    back = inverse(change, now)
    patch(changed, back)
    assert changed == now
    assert holds(back, now)


@pytest.fixture
def role() -> Iterator[Role]:
    """A cluster of which the member that is asked first is away."""
    with patroni(db_1="leader", db_2="sync_standby") as url:
        member = {"url": url, "postmaster": "none.pid"}
        parameters = {"url": NOWHERE, "members": {"db-1": member, "db-2": member}}
        yield Role("database.primary", "patroni", parameters, LOOPBACK, "/")


def test_settings_are_changed_and_put_back_exactly(role: Role) -> None:
    before = copy.deepcopy(PatroniDouble.config)
    change = {"synchronous_mode": None, "pause": True, "postgresql": {"parameters": {"port": 2}}}
    fault: Any = registry.build("database.settings", {"set": change})
    undo = fault.prepare(role)
    assert PatroniDouble.config == before
    fault.inject(undo)
    assert PatroniDouble.config == {"ttl": 20, "pause": True, "postgresql": {"parameters": {"port": 2}}}
    assert not fault.gone(undo)
    recorded = Undo.from_json(undo.to_json())
    again = registry.build(recorded.fault, recorded.with_)
    for _ in range(2):
        again.undo(recorded)
        assert PatroniDouble.config == before
    assert [request.split()[0] for request in PatroniDouble.requests] == ["PATCH", "PATCH"]
    assert fault.healthy(role)
    assert fault.gone(undo)


def test_an_undo_without_an_effect_changes_nothing(role: Role) -> None:
    fault = registry.build("database.settings", {"set": {"pause": True}})
    fault.undo(fault.prepare(role))
    assert PatroniDouble.requests == []


@pytest.mark.parametrize(
    ("member", "wrong", "said"),
    [
        (0, {"state": "stopped"}, "no running leader"),
        (1, {"state": "stopped"}, "not every member works"),
        (1, {"role": "replica"}, "no synchronous standby"),
    ],
)
def test_it_is_well_when_the_cluster_is_whole(
    role: Role, member: int, wrong: dict[str, str], said: str
) -> None:
    fault: Any = registry.build("database.settings", {"set": {"ttl": 30}})
    PatroniDouble.members[member].update(wrong)
    with pytest.raises(Unavailable, match=said):
        fault.healthy(role)


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(BadInput, match="set"):
        registry.build("database.settings", {"set": {}})
    gone = Role("database.primary", "patroni", {"url": NOWHERE}, LOOPBACK, "/")
    with pytest.raises(Unavailable, match="no member of the Patroni cluster answers"):
        registry.build("database.settings", {"set": {"ttl": 30}}).prepare(gone)
