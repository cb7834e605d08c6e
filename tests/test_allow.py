"""Whoever touches a target is held to its allow list, on the address that is connected to.

One row for each way of asking. The host's name is not listed, and leads to an address that is not allowed, as
after a mistake in DNS: all that a look at the target file can tell is in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.listeners import Listener, http, listening

from seatrial.actions.release_stop import ReleaseStop
from seatrial.drivers import libpq, patroni, reach, redis_client
from seatrial.faults.http_call import HttpCall
from seatrial.faults.toxiproxy import Toxiproxy
from seatrial.lookups.audit_log import AuditLog
from seatrial.lookups.recorder import RunFacts
from seatrial.lookups.replicas import Replicas
from seatrial.lookups.writes import Writes
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import BadInput
from seatrial.model.role import Role
from seatrial.probes import Question, ask


def role(driver: str, **parameters: Any) -> Role:
    return Role("asked", driver, parameters, ("127.0.0.1",), ".")


def probe(kind: str, question: str, url: str) -> None:
    """A probe does not raise: it says what is wrong."""
    spec = ProbeSpec.model_validate({kind: question, "on": "asked"})
    raise BadInput(ask(Question(spec, role("any", url=url))))


CALL = HttpCall.model_validate({"inject": {}, "undo": {}, "probe": {}})
RUN = RunFacts(["a1"], Path("unused"))
AUDIT = {"entries": "SELECT :from", "checkpoints": "SELECT 1"}
WAYS: dict[str, Callable[[str], object]] = {
    "probe by http": lambda at: probe("http", "/healthz", f"http://{at}"),
    "probe by http, elsewhere": lambda at: probe("http", f"http://{at}/", "http://127.0.0.1"),
    "probe by promql": lambda at: probe("promql", "up", f"http://{at}"),
    "probe by redis": lambda at: probe("redis", "PING", f"redis://{at}/0"),
    "probe by sql": lambda at: probe("sql", "SELECT 1", f"postgresql://{at}/x"),
    "look-up by http": lambda at: Writes().record(role("http", url=f"http://{at}/{{id}}"), RUN),
    "look-up by sql": lambda at: Writes().record(
        role("sql", url=f"postgresql://{at}/x", query="SELECT 1 WHERE 1 IN :ids"), RUN
    ),
    "recorded replicas": lambda at: Replicas().record(
        role("replicas", replicas={"east": f"http://{at}"}), RUN
    ),
    "key of an audit log": lambda at: AuditLog().record(
        role("audit-log", url="sqlite://", key=f"http://{at}/key", **AUDIT), RUN
    ),
    "http.call": lambda at: CALL.prepare(role("http", url=f"http://{at}")),
    "http.call's probe": lambda at: CALL.healthy(role("http", url=f"http://{at}")),
    "toxiproxy": lambda at: Toxiproxy(toxic="down").prepare(role("toxiproxy", url=f"http://{at}", proxy="p")),
    "patroni": lambda at: patroni.cluster(role("patroni", url=f"http://{at}")),
    "redis": lambda at: redis_client.answers(role("redis", url=f"redis://{at}/0")),
    "postgres": lambda at: libpq.answers(role("postgres", url=f"postgresql://{at}/x")),
    "release": lambda at: ReleaseStop().prepare(
        role("command", start=("true",), stop=("true",), ready=f"http://{at}/")
    ),
}


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    found = reach.addresses_of
    monkeypatch.setattr(
        reach, "addresses_of", lambda host: ["127.0.0.2"] if host == "shop.internal" else found(host)
    )
    with listening(lambda _: iter([http(b"{}")]), "127.0.0.2") as listener:
        yield listener


@pytest.mark.parametrize("host", ["shop.internal", "127.0.0.2", "2130706434", "[::ffff:127.0.0.2]"])
@pytest.mark.parametrize("way", WAYS)
def test_a_host_that_is_not_allowed_is_not_touched(forbidden: Listener, way: str, host: str) -> None:
    with pytest.raises(BadInput, match=r"asked: the host .* is not in the target's allow list"):
        WAYS[way](f"{host}:{forbidden.port}")
    assert forbidden.heard == []
