"""Probes and checks ask those who can answer, or it is told before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.planning import EXPERIMENT, TARGET, told


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("section", "item", "expected"),
    [
        ("steady_state", "{sql: SELECT 1, on: worker}", "x.yaml:5:25: steady_state[0].on: a probe by sql asks an address; the role 'worker' has no url"),
        ("steady_state", "{sql: SELECT 1, on: nobody}", "x.yaml:5:25: steady_state[0].on: the target shop has no role 'nobody'"),
        ("steady_state", "{pkcs11: sign, on: edge}", "x.yaml:5:24: steady_state[0].on: a probe by pkcs11 asks an HSM"),
        ("steady_state", "{promql: up}", "x.yaml:5:5: steady_state[0].on: a probe by promql needs the role that it asks"),
        ("steady_state", "{http: /, within: 0s}", "x.yaml:5:23: steady_state[0].within: must be longer than 0s"),
        ("steady_state", "{sql: x, on: database, min: 3, max: 1}", "x.yaml:5:33: steady_state[0].min: no value is at least 3 and at most 1"),
        ("steady_state", "{http: 'http://10.1.1.1/healthz'}", "x.yaml:5:12: steady_state[0].http: target: the host 10.1.1.1 is not in"),
        ("steady_state", "{http: 'http://[x'}", "x.yaml:5:12: steady_state[0].http: target: the host  is not in"),
        ("steady_state", "{probe: queue, on: database}", "x.yaml:5:13: steady_state[0].probe: unknown probe 'queue'"),
        ("guards", "{probe: {redis: PING, on: worker}}", "x.yaml:5:31: guards[0].probe.on: a probe by redis asks an address"),
        ("guards", "{errors: 101%}", "x.yaml:5:14: guards[0].errors: '101%' is not a share"),
        ("checks", "served-yb", "x.yaml:5:5: checks[0]: unknown check 'served-yb'; did you mean 'served-by'?"),
        ("checks", "served-by: {realease: blue}", "x.yaml:5:17: checks[0].served-by.realease: unknown parameter 'realease'; did you mean 'release'?"),
        ("checks", "served-by: {last: 5}", "x.yaml:5:23: checks[0].served-by.last: '5' is not a duration"),
        ("checks", "served-by: 3", "x.yaml:5:5: checks[0]: '3' stands where a mapping of keys to values is expected"),
        ("checks", "{a: {}, b: {}}", "x.yaml:5:5: checks[0]: a check is its name, or one name with its parameters: served-by: {release: blue}"),
        ("checks", "acknowledged-writes", "x.yaml:5:5: checks[0].acknowledged-writes.role: the target shop has no role 'writes'"),
        ("checks", "acknowledged-writes: {role: worker}", "x.yaml:5:33: checks[0].acknowledged-writes.role: the role 'worker' is bound to driver 'process', not to http or sql"),
        ("checks", "acknowledged-writes: {role: database}", "t.yaml:7:13: roles.database.query: is missing, and writes are looked up with it"),
        ("checks", "convergence: {role: worker}", "x.yaml:5:25: checks[0].convergence.role: the role 'worker' is bound to driver 'process', not to replicas"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_stands(section: str, item: str, expected: str) -> None:
    target = TARGET + '  database: {driver: sql, url: "postgresql://127.0.0.1/shop"}\n'
    (problem,) = told(f"{EXPERIMENT}{section}:\n  - {item}\n", target)
    assert problem.startswith(expected)


def test_the_same_check_twice_is_a_mistake_and_another_of_its_kind_is_none() -> None:
    one, other = "  - served-by: {release: blue}\n", "  - served-by: {region: east}\n"
    assert told(f"{EXPERIMENT}checks:\n{one}{other}") == []
    (problem,) = told(f"{EXPERIMENT}checks:\n{one}{other}{one}")
    assert problem == "x.yaml:7:5: checks[2]: the same check stands at checks[0] already"
