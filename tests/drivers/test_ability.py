"""An ability is had by having the method, and whoever asks for one that is not there is told who has it."""

from __future__ import annotations

import pytest

from seatrial.drivers.abilities import PROCESSES
from seatrial.drivers.releases import RELEASES
from seatrial.drivers.services import SERVICES
from seatrial.drivers.sql import SqlBinding
from seatrial.drivers.stored import WRITES
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role

SQL = {
    "url": "postgresql://shop:${NOBODY_HAS_SET_IT}@127.0.0.1/shop",
    "query": "SELECT key WHERE key IN :ids",
}


def test_the_drivers_of_each() -> None:
    assert PROCESSES.drivers() == ["container", "patroni", "process", "ssh"]
    assert RELEASES.drivers() == ["deploy-command", "deploy-http", "haproxy", "kubernetes", "nginx"]
    assert SERVICES.drivers() == ["command", "container"]
    assert WRITES.drivers() == ["http", "sql"]


@pytest.mark.parametrize("driver", ["redis", "nobody's"])
def test_a_driver_without_it_says_who_has_it(driver: str) -> None:
    role = Role("cache", driver, {}, (), ".")
    assert SERVICES.find(role) is None
    assert SERVICES.as_written(role) is None
    with pytest.raises(BadInput) as told:
        SERVICES.of(role)
    (problem,) = told.value.problems
    assert problem.path == ("on",)
    assert problem.message == (
        f"'cache' is bound to {driver}, which is not started and stopped as a whole;"
        " these drivers do: command, container"
    )


def test_what_a_variable_holds_is_asked_for_only_when_it_is_needed() -> None:
    role = Role("writes", "sql", SQL, (), ".")
    assert isinstance(WRITES.as_written(role), SqlBinding)
    with pytest.raises(Unavailable, match="NOBODY_HAS_SET_IT"):
        WRITES.of(role)
