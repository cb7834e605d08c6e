"""The schemas take every file that seatrial takes, and refuse the slips that an editor can see."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.support.reading import is_taken

from seatrial.explain.formats import FILES
from seatrial.explain.schemas import schema
from seatrial.files import shipped
from seatrial.model.document import Document, parse
from seatrial.model.problems import BadInput
from seatrial.testbed.blueprint import layout
from seatrial.testbed.places import Places
from seatrial.testbed.target import target_yaml

VALIDATORS = {kind: Draft202012Validator(schema(kind)) for kind in FILES}
SHIPPED = sorted(
    path
    for pattern in ("chaos/*.yaml", "chaos/*/*.yaml", "schedules/*.yaml")
    for path in shipped().glob(pattern)
)


def kind_of(document: Document) -> str:
    return str(next(iter(document.data)))  # each begins with the key that says what it is


def wrong(kind: str, data: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATORS[kind].iter_errors(data)]


@pytest.mark.parametrize("kind", FILES)
def test_each_is_a_schema(kind: str) -> None:
    Draft202012Validator.check_schema(VALIDATORS[kind].schema)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(shipped())))
def test_every_shipped_file_is_taken(path: Path) -> None:
    document = parse(path.read_text(), path.name)
    assert not wrong(kind_of(document), document.data)


def test_the_target_of_the_testbed_is_taken(tmp_path: Path) -> None:
    places = Places(tmp_path)
    document = parse(target_yaml(layout(places), places), "target.yaml")
    assert not wrong("target", document.data)


EXPERIMENT = """\
experiment: everything
title: All that can be written
covers: [ADR-003]
load: {scenario: a.py, rate: [{at: 0s, rate: 10/s}, {at: 1m30s, rate: 10_000/min}], arrivals: poisson, seed: 3, deadline: 250ms}
warmup: 5s
duration: 40s
steady_state:
  - {http: /healthz, status: 204}
  - {sql: "SELECT 1", on: database, min: 1, within: 500ms}
timeline:
  - {at: 5s, fault: process.slow, on: worker, for: 10s, with: {to: 20%, period: 50ms}, name: slow}
  - {at: 6s, fault: http.call, on: admin, with: {inject: {path: /a, json: [1]}, undo: {method: DELETE, path: /a}}}
  - {at: 7s, fault: database.lock, on: database, with: {table: orders}}
  - {at: 8s, fault: command.run, on: cache, with: {inject: [a, b], undo: "a c", within: 20s}}
  - {at: 9s, action: command.run, on: cache, with: {run: [./deploy.sh, green]}}
  - {at: 9s, fault: volume.fill, on: disk, with: {leave: 1MiB}}
  - {at: 20s, action: deploy.switch, on: edge}
objectives:
  downtime: [{max: 5s, after: slow}, {max: 1s}]
  recovery: {max: 20s, after: slow}
  latency: {p95: 900ms}
  errors: {max: 1%}
  throughput: {min: 9/s}
checks:
  - acknowledged-writes
  - served-by: {release: blue}
  - audit-chain:
guards:
  - {errors: 90%, for: 30s}
  - {probe: {redis: PING, on: cache}}
incident: {severity: critical}
"""
TARGET = """\
target: shop
environment: staging
base_url: http://127.0.0.1:9000
allow: [127.0.0.1, 10.0.0.0/8]
ready: /healthz
variables: {API_TOKEN: "${TOKEN}"}
roles:
  database: {driver: postgres, url: "${DATABASE}"}
  api: {driver: http, url: "http://127.0.0.1:${PORT}", timeout_s: "${PATIENCE}", headers: {X-A: b}}
  disk: {driver: volume, path: /var/lib/shop, most: "${MOST}"}
  audit: {driver: audit-log, url: "sqlite:///a", entries: "SELECT :from", checkpoints: "SELECT 1", key: [a, b], within: "${N}s"}
  worker: {driver: process, pidfile: run/worker.pid, start: systemctl start worker}
  hsm: {driver: pkcs11, module: a.so, token: t, key: k, pin: 1234}
  mine: {driver: mine, url: http://127.0.0.1:1, anything: [1, 2]}
  router: {driver: network, lacking: "needs root"}
"""
SUITE = "suite: s\nexperiments: [a.yaml, b.yaml]\npause: 1s\n"
SCHEDULE = """\
schedule: monthly
suite: a.yaml
target: b.yaml
cadence: {monthly: {day: first sunday, at: "02:30"}}
timezone: Europe/Berlin
jitter: 10m
windows:
  only: [{days: mon-fri, from: "22:00", to: "06:00"}]
  never: [{dates: 2026-12-20 to 2027-01-06, why: year's end}, {ics: freezes.ics}]
missed: run-late within 6h
incident: {unknown: false, escalate: {after: 3, unacknowledged: 30m}}
"""
READINESS = """\
readiness: production
title: Production readiness
target: chaos/target.yaml
shelf_life: 35d
sign_off: [security, sre]
keys: {security: amira+5f0c2a11+AX}
rows:
  - id: ADR-003
    requirement: It rolls back in seconds
    risk: high
    owner: platform
    target: < 5 s
    shelf_life: 10d
    evidence:
      - {experiment: chaos/rollback.yaml, objective: downtime after rollback, max: 5s, target: b.yaml}
      - {experiment: chaos/lag.yaml, check: lag, figure: lag_s, max: 100, min: 1%}
      - {file: scan.json, format: json, value: /ok, made: /at}
      - {attestation: It was done., shelf_life: 95d}
  - {id: nothing, requirement: Nothing yet}
"""
MACHINES = """\
machines: load
hosts:
  - host: load-1.staging.example
    processes: 4
    user: deploy
    port: 2222
    identity: keys/load
    known_hosts: keys/known_hosts
    python: /opt/seatrial/bin/python
    directory: /srv/load
    master: 10.0.0.5
  - {host: 10.0.0.7}
"""
WHOLE = {
    "experiment": EXPERIMENT,
    "target": TARGET,
    "suite": SUITE,
    "schedule": SCHEDULE,
    "readiness": READINESS,
    "machines": MACHINES,
}


@pytest.mark.parametrize("kind", FILES)
def test_all_that_can_be_written_is_taken(kind: str) -> None:
    document = parse(WHOLE[kind], "x.yaml")
    assert is_taken(kind, document)
    assert not wrong(kind, document.data)


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("experiment", "warmup: 5s", "warmpu: 5s"),
        ("experiment", "duration: 40s", "duration: 40"),
        ("experiment", "duration: 40s", "durations: 40s"),
        ("experiment", "rate: 10_000/min", "rate: 10000"),
        ("experiment", "arrivals: poisson", "arrivals: poison"),
        ("experiment", "seed: 3", "seed: -3"),
        ("experiment", "errors: {max: 1%}", "errors: {max: 0.01}"),
        ("experiment", "latency: {p95: 900ms}", "latency: {}"),
        ("experiment", "latency: {p95: 900ms}", "latency: {p94: 900ms}"),
        ("experiment", "process.slow", "process.slwo"),
        ("experiment", "with: {to: 20%, period: 50ms}", "with: {too: 20%}"),
        ("experiment", "with: {to: 20%, period: 50ms}", "with: {to: 0.2}"),
        ("experiment", "for: 10s, with: {to", "for_: 10s, with: {to"),
        ("experiment", "{inject: {path: /a, json: [1]}", "{inject_: {path: /a, json: [1]}"),
        ("experiment", "with: {table: orders}", "with: {}"),
        ("experiment", "with: {table: orders}", "for: 5s"),
        ("experiment", "{inject: {path: /a, json: [1]}", "{inject: {paht: /a}"),
        ("experiment", "method: DELETE", "method: REMOVE"),
        ("experiment", "action: deploy.switch", "fault: deploy.switch"),
        ("experiment", "action: deploy.switch", "action: deploy.switch, fault: process.kill"),
        ("experiment", "with: {run: [./deploy.sh, green]}", "with: {inject: [a], undo: [b]}"),
        ("experiment", "acknowledged-writes", "acknowledged-writs"),
        ("experiment", "served-by: {release: blue}", "served-by: {relaese: blue}"),
        ("experiment", "served-by: {release: blue}", "{served-by: {release: blue}, audit-chain: {}}"),
        ("experiment", "{errors: 90%, for: 30s}", "{for: 30s}"),
        ("experiment", "{http: /healthz, status: 204}", "{http: /healthz, sql: SELECT 1}"),
        ("experiment", "severity: critical", "severity: fatal"),
        ("target", "environment: staging", "environment: test"),
        ("target", "base_url:", "url:"),
        ("target", "{driver: postgres, url:", "{driver: postgres, adress:"),
        ("target", "pidfile: run/worker.pid", "pid_file: run/worker.pid"),
        ("target", "{driver: process, ", "{"),
        ("suite", "[a.yaml, b.yaml]", "a.yaml"),
        ("suite", "[a.yaml, b.yaml]", "[]"),
        ("schedule", "suite: a.yaml\n", ""),
        ("schedule", "suite: a.yaml", "suite: a.yaml\nexperiment: b.yaml"),
        ("schedule", "cadence: {monthly", "cadence: {every: 6h, monthly"),
        ("schedule", "unknown: false", "unknown: quiet"),
        ("schedule", "jitter: 10m", "jitter: 10"),
        ("readiness", "risk: high", "risk: grave"),
        ("readiness", "id: ADR-003", "id: ADR 003"),
        ("readiness", "shelf_life: 35d", "shelf_life: 35"),
        ("readiness", "max: 5s", "max: true"),
        ("readiness", "format: json", "format: xml"),
        ("readiness", "{attestation: It was done.", "{attestation: It was done., experiment: a.yaml"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_itself_is_refused(kind: str, old: str, new: str) -> None:
    assert old in WHOLE[kind]
    document = parse(WHOLE[kind].replace(old, new, 1), "x.yaml")
    assert not is_taken(kind, document), "it is right"
    assert wrong(kind, document.data)


SEEDS = range(100)
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2.5, "", "x", "5s", "5 s", " 5s ", "1%", "10/s", "10/min", "5", "${X}", "a${X}b", [], ["x"], {},
    {"x": 1}, [1], "0s", "1m30s", "10_000/min", "02:30", "sunday", "first sunday", "20GiB", 1e9,
)  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_no_file_is_refused_that_seatrial_takes(kind: str) -> None:
    """Files with one or two changes: most are refused by both, and none by the schema alone."""
    taken = 0
    for seed in SEEDS:
        document = changed(parse(WHOLE[kind], "x.yaml"), random.Random(seed))
        if is_taken(kind, document):
            taken += 1
            assert not wrong(kind, document.data), f"seed {seed}"
    assert taken > len(SEEDS) / 20, "hardly any change is one that is taken, so nothing is shown"


def changed(document: Document, chance: random.Random) -> Document:
    data = copy.deepcopy(document.data)
    for _ in range(chance.randint(1, 2)):
        path = chance.choice(list(paths(data)))
        holder, key = inside(data, path[:-1]), path[-1]
        if chance.random() < 0.3:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(chance.choice(VALUES))
    return Document(document.file, data, "", {}, {})


def paths(value: Any, under: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key in value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0):
        yield (*under, key)
        yield from paths(value[key], (*under, key))


def inside(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def test_an_unknown_kind_of_file_gets_the_list() -> None:
    with pytest.raises(
        BadInput,
        match=r"^there is no kind of file called 'matrix'; known: experiment, machines, readiness, schedule, suite, target$",
    ):
        schema("matrix")
