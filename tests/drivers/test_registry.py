"""What may stand in a role's binding is known in one place, and typed with its references filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seatrial import drivers
from seatrial.drivers.binding import Binding
from seatrial.lookups.recording import RECORDERS
from seatrial.undo import registry
from seatrial.undo.protocol import ANY

# Each as small as it may be, and then with everything that may stand there. A driver with a test of its own
# needs no line here.
LEAST: dict[str, dict[str, Any]] = {
    "audit-log": {"url": "postgresql://127.0.0.1/x", "entries": "… :from", "checkpoints": "…", "key": "…"},
    "command": {},
    "deploy-command": {},
    "deploy-http": {"live": {"url": "http://127.0.0.1/app"}, "switch": {"url": "http://127.0.0.1/{release}"}},
    "haproxy": {"socket": "run/haproxy.sock"},
    "http": {"url": "http://127.0.0.1:9000"},
    "kubernetes": {"url": "http://127.0.0.1:8001"},
    "network": {"sides": {"east": ["10.1.0.0/24"], "west": "fd00::/64"}},
    "nginx": {},
    "patroni": {"members": {"db-1": {"log": "logs/db-1.log"}}},
    "pkcs11": {"module": "p11-kit-client.so", "token": "t", "key": "k", "pin": 1234},
    "postgres": {"url": "postgresql://app:secret@127.0.0.1:5432/shop"},
    "process": {},
    "prometheus": {"url": "http://127.0.0.1:9090"},
    "redis": {"url": "redis://127.0.0.1:6379/0"},
    "replicas": {"replicas": {"east": "http://127.0.0.1:9101"}},
    "sql": {"url": "sqlite:///shop.sqlite"},
    "toxiproxy": {"url": "http://127.0.0.1:8474", "proxy": "redis"},
    "volume": {"path": "/var/lib/shop"},
}
MORE: dict[str, dict[str, Any]] = {
    "audit-log": {"ingested": "…", "key": ["a", "http://127.0.0.1/key"], "within": "60s", "timeout": "5s"},
    "command": {"ready": "http://127.0.0.1/healthz", "within": "30s"},
    "deploy-command": {"live": "./live", "switch": "./deploy {release}", "releases": ["a", "b"], "within": "5m"},
    "deploy-http": {
        "live": {"url": "http://127.0.0.1/app", "field": "live"}, "headers": {"X": "y"}, "releases": ["a", "b"],
        "switch": {"url": "http://127.0.0.1/x", "method": "PUT", "json": {"to": "{release}"}}, "within": "5m",
    },
    "haproxy": {"servers": {"a": "app/a", "b": ["app/b"]}, "map": "active.map", "map_file": "a", "key": "active", "log": "l", "backends": ["a", "b"]},
    "http": {"headers": {"X": "y"}, "content": "{sku}", "timeout_s": 2.5},
    "kubernetes": {"token": "t", "ca": "ca.crt", "namespace": "n", "service": "s", "label": "release", "deployment": "d",
                   "container": "c", "releases": {"a": "image:1", "b": "image:2"}, "within": "5m"},
    "network": {"namespace": "router"},
    "nginx": {"active": "a.conf", "releases": {"a": "a", "b": "b"}, "test": "nginx -t", "reload": "nginx -s reload", "within": "5s"},
    "patroni": {
        "url": "http://127.0.0.1:8008",
        "members": {"a": {"url": "http://127.0.0.1:1", "postmaster": "p", "region": "east", "pidfile": "q",
                          "start": ["patroni", "a.yml"], "stop": "systemctl stop patroni", "log": "l"}},
        "proxies": ["logs/proxy.log"],
    },
    "pkcs11": {"address": "unix:path=/run/hsm.sock", "deadline": "2s"},
    "replicas": {"within": "30s", "timeout": "5s"},
    "sql": {"query": "SELECT key FROM orders WHERE key IN :ids"},
    "volume": {"most": "20GiB"},
}  # fmt: skip
PROCESSES = {"pidfile": ["a.pid", "b.pid"], "start": "run it", "stop": ["stop", "it"], "log": "its.log"}


def told(driver: str, binding: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in drivers.problems_in(driver, binding)]


@pytest.mark.parametrize("driver", LEAST)
def test_every_key_that_somebody_reads_may_stand_there(driver: str) -> None:
    assert told(driver, LEAST[driver]) == []
    assert told(driver, {**PROCESSES, **LEAST[driver], **MORE.get(driver, {})}) == []


@pytest.mark.parametrize("driver", LEAST)
def test_an_unknown_key_is_refused_with_the_nearest(driver: str) -> None:
    assert told(driver, {**LEAST[driver], "pidfil": "x"}) == [
        "pidfil: unknown key 'pidfil'; did you mean 'pidfile'?"
    ]


def test_whatever_acts_or_asks_through_a_driver_finds_it_declared() -> None:
    through = {driver for name in registry.names() for driver in registry.find(name).drivers} - ANY
    asked = {driver for found in RECORDERS.all().values() for driver in found.declared.drivers}
    assert through | asked <= set(drivers.DRIVERS.names())


@pytest.mark.parametrize(
    ("driver", "wrong", "expected"),
    [
        ("redis", {"url": "127.0.0.1:6379"}, "url: is not an address that begins with redis://"),
        ("redis", {"url": 6379}, "url: '6379' stands where text (quote it) is expected"),
        ("postgres", {"url": "jdbc:postgresql://x"}, "url: is not an address that begins with postgresql://"),
        ("http", {"timeout_s": "soon"}, "timeout_s: 'soon' stands where a number is expected"),
        ("volume", {"most": "lots"}, "most: 'lots' stands where a size, such as 20GiB, is expected"),
        ("network", {"sides": {"a": ["nonsense"]}}, "sides.a: 'nonsense' does not appear to be"),
        ("network", {"namespace": "../etc"}, "namespace: '../etc' is no name of a network namespace"),
        ("sql", {"query": "SELECT 1"}, "query: needs `IN :ids` where the ids of the writes go"),
        ("audit-log", {"entries": "SELECT 1"}, "entries: needs `seq >= :from`"),
        ("audit-log", {"key": []}, "key: must not be empty"),
        ("replicas", {"within": 30}, "within: '30' is not a duration"),
        ("replicas", {"replicas": {}}, "replicas: must not be empty"),
        ("patroni", {"members": {"a": {"postmastr": "x"}}}, "members.a.postmastr: unknown key 'postmastr'; did you mean 'postmaster'?"),
        ("process", {"pidfile": None}, "pidfile: is empty, where a list is expected"),
    ],
)  # fmt: skip
def test_values_are_typed_by_what_the_driver_expects(
    driver: str, wrong: dict[str, Any], expected: str
) -> None:
    (problem,) = told(driver, {**LEAST[driver], **wrong})
    assert problem.startswith(expected)


@pytest.mark.parametrize("driver", ["redis", "toxiproxy", "volume", "pkcs11", "replicas"])
def test_what_nobody_could_do_without_is_required(driver: str) -> None:
    assert {problem.split(": ")[1] for problem in told(driver, {})} == {"is required and missing"}


def test_a_reference_is_typed_as_what_it_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    binding = {"url": "${SHOP}", "timeout_s": "${PATIENCE}", "headers": {"X": "${TOKEN}"}}
    monkeypatch.setenv("SHOP", "http://127.0.0.1:9000")
    monkeypatch.setenv("TOKEN", "7")
    monkeypatch.setenv("PATIENCE", "2.5")
    assert told("http", binding) == []
    monkeypatch.setenv("PATIENCE", "a-secret")
    assert told("http", binding) == ["timeout_s: what '${PATIENCE}' stands for does not fit"]
    within = {"replicas": {"a": "${SHOP}"}, "within": "${PATIENCE}"}
    (problem,) = told("replicas", within)
    assert problem.startswith("within: what '${PATIENCE}' stands for is not a duration; write it like 250ms")


def test_what_a_variable_that_is_not_set_stands_for_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEATRIAL_TEST_UNSET", raising=False)
    binding = {"url": "${SEATRIAL_TEST_UNSET}", "timeout_s": "${SEATRIAL_TEST_UNSET}", "heders": {}}
    assert told("http", binding) == ["heders: unknown key 'heders'; did you mean 'headers'?"]


def test_a_driver_of_somebody_else_has_keys_that_nobody_here_knows() -> None:
    assert told("vsphere", {"region": "eu", "pidfile": "x.pid"}) == []
    assert told("vsphere", {"pidfile": 3}) == ["pidfile: '3' stands where a list is expected"]
    assert told("redsi", {}) == ["driver: unknown driver 'redsi'; did you mean 'redis'?"]


def test_an_undo_does_not_fail_because_of_a_key_that_a_plan_refuses() -> None:
    record = drivers.find("redis")
    assert record is not None
    assert isinstance(record.model_validate({"url": "redis://127.0.0.1", "older": 1}), Binding)


def test_every_driver_is_in_a_file_of_its_name() -> None:
    for name in drivers.DRIVERS.names():
        record = drivers.find(name)
        assert record is not None
        assert Path(record.__module__.replace(".", "/")).name == name.replace("-", "_")
        assert record.__doc__
