"""Each step of a timeline is what its word says it is, on somebody whom it can be done to."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.planning import EXPERIMENT, TARGET, timeline, told

from seatrial import files
from seatrial.run.plan import make_plan


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEATRIAL_TEST_UNSET", raising=False)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("{at: 1s, action: process.kill, on: worker}",
         "x.yaml:5:22: timeline[0].action: process.kill is a fault, not an action; write fault: process.kill"),
        ("{at: 1s, fault: deploy.switch, on: edge}",
         "x.yaml:5:21: timeline[0].fault: deploy.switch is an action, not a fault; write action: deploy.switch"),
        ("{at: 1s, action: deploy.swich, on: edge}",
         "x.yaml:5:22: timeline[0].action: unknown action 'deploy.swich'; did you mean 'deploy.switch'?"),
        ("{at: 1s, fault: deploy.swich, on: edge}", "x.yaml:5:21: timeline[0].fault: unknown fault 'deploy.swich'"),
        ("{at: 1s, action: traffic.spike, for: 1s}",
         "x.yaml:5:22: timeline[0].action: traffic.spike is a fault, not an action; write fault: traffic.spike"),
        ("{at: 1s, fault: trafic.spike, for: 1s}",
         "x.yaml:5:21: timeline[0].fault: unknown fault 'trafic.spike'; did you mean 'traffic.spike'?"),
        ("{at: 1s, action: deploy.switch, on: edge, for: 2s}",
         "x.yaml:5:52: timeline[0].for: an action has no duration; 'for' belongs to faults"),
        ("{at: 1s, action: deploy.switch, on: edge, with: {to: gren}}",
         "x.yaml:5:58: timeline[0].with.to: 'gren' is no release of edge; did you mean 'green'?"),
        ("{at: 1s, fault: edge.drain, on: edge, with: {backend: gren}}",
         "x.yaml:5:59: timeline[0].with.backend: 'gren' is no backend of edge; did you mean 'green'?"),
        ("{at: 1s, fault: process.kill}", "x.yaml:5:5: timeline[0].on: is required and missing: the role"),
        ("{at: 1s, fault: process.kill, on: wrker}", "x.yaml:5:39: timeline[0].on: the target shop has no role 'wrker'"),
        ("{at: 1s, fault: redis.flush, on: worker}",
         "x.yaml:5:38: timeline[0].on: redis.flush acts on redis; the role 'worker' is bound to process"),
        ("{at: 1s, fault: process.kill, on: worker, with: {childen: true}}",
         "x.yaml:5:54: timeline[0].with.childen: unknown parameter 'childen'; did you mean 'children'?"),
        ("{at: 1s, fault: process.kill, on: worker, with: {children: maybe}}",
         "x.yaml:5:64: timeline[0].with.children: 'maybe' stands where true or false is expected"),
        ("{at: 1s, fault: process.kill, on: worker, with: [a]}",
         "x.yaml:5:53: timeline[0].with: '['a']' stands where a mapping of keys to values is expected"),
        ("{at: 10s, fault: process.kill, on: worker}", "x.yaml:5:10: timeline[0].at: 10s is not within the run's duration of 10s"),
        ("{at: 9s, fault: process.kill, on: worker, for: 2s}", "x.yaml:5:52: timeline[0].for: it would end at 11s"),
        ("{at: 9s, fault: process.kill, on: worker, for: 0s}", "x.yaml:5:52: timeline[0].for: must be longer than 0s"),
        ("{at: 9s, fault: traffic.spike, for: 2s}", "x.yaml:5:41: timeline[0].for: it would end at 11s"),
        ("{at: 1s, fault: traffic.spike}", "x.yaml:5:5: timeline[0]: traffic.spike needs an end: for: 10s"),
        ("{at: 1s, fault: traffic.spike, for: 1s, with: {time: 3}}",
         "x.yaml:5:52: timeline[0].with.time: unknown parameter 'time'; did you mean 'times'?"),
        ("{at: 1s, fault: traffic.spike, for: 1s, with: {times: many}}",
         "x.yaml:5:59: timeline[0].with.times: 'many' stands where a number is expected"),
        ("{at: 1e9h, fault: process.kill, on: worker}", "x.yaml:5:10: timeline[0].at: '1e9h' is not a duration"),
        ("{at: 999999999h, fault: process.kill, on: worker}",
         "x.yaml:5:10: timeline[0].at: '999999999h' is longer than 3,650 days"),
        ("{at: 1s, fault: command.run, on: worker, with: {inject: 'a ${SEATRIAL_TEST_UNSET}', undo: b}}",
         "x.yaml:5:52: timeline[0].with: the environment variable SEATRIAL_TEST_UNSET is referenced and not set"),
        ("{at: 1s, fault: database.crash, on: database.primary}",
         "t.yaml:6:21: roles.database.primary.members: say of each member: postmaster"),
        ("{at: 1s, fault: process.kill, on: edge}", "t.yaml:4:9: roles.edge: say where its process is: pidfile: run/edge.pid"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_step_is_told_where_it_stands(step: str, expected: str) -> None:
    (problem,) = told(timeline(step))
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("roles", "step", "expected"),
    [
        ("router: {driver: network, sides: {east: [127.1.0.0/24], west: [127.2.0.0/24]}}",
         "{at: 1s, fault: network.partition, on: router, with: {between: [east, wets]}}",
         "x.yaml:5:68: timeline[0].with.between: router has no side 'wets'; did you mean 'west'?"),
        ("router: {driver: network, sides: {east: [127.1.0.0/24], west: [10.2.0.0/24]}}",
         "{at: 1s, fault: network.partition, on: router, with: {between: [east, west]}}",
         "t.yaml:7:65: roles.router.sides.west: 10.2.0.0/24 is not wholly in the target's allow list"),
        ("router: {driver: network, lacking: on loopback, sides: {}}",
         "{at: 1s, fault: network.partition, on: router, with: {between: [east, west]}}", ""),
        ("cache: {driver: redis, url: redis://10.1.1.1/0}", "{at: 1s, fault: redis.flush, on: cache}",
         "t.yaml:7:31: roles.cache.url: the host 10.1.1.1 is not in allow: [127.0.0.0/8, ::1/128, localhost]"),
        ("blue: {driver: command, start: a, stop: b}", "{at: 1s, action: release.stop, on: blue}",
         "t.yaml:7:9: roles.blue.ready: is missing, and without it the release cannot be stopped and started"),
        ("hsm: {driver: pkcs11, module: m, token: t, key: k, pin: p, pidfile: x}", "{at: 1s, fault: hsm.unavailable, on: hsm}",
         "t.yaml:7:8: roles.hsm: say how its server is started again: start: [program, …]"),
        ("three: {driver: haproxy, socket: s, map: m, backends: [a, b, c]}", "{at: 1s, action: deploy.switch, on: three}",
         "x.yaml:5:5: timeline[0].with: say to which of a, b, c: to: …"),
        ("shop: {driver: http, url: 'http://127.0.0.1:1'}",
         "{at: 1s, fault: http.call, on: shop, with: {inject: {path: /a}, undo: {path: 'http://10.1.1.1/'}}}",
         "x.yaml:5:82: timeline[0].with.undo.path: shop: the host 10.1.1.1 is not in"),
        ("shop: {driver: http, url: 'http://127.0.0.1:1'}",
         "{at: 1s, fault: http.call, on: shop, with: {inject: {path: 'http://[x'}, undo: {}}}",
         "x.yaml:5:64: timeline[0].with.inject.path: 'http://[x' is no path"),
        ("cluster: {driver: mainframe}", "{at: 1s, fault: command.run, on: cluster, with: {inject: a, undo: b}}", ""),
    ],
)  # fmt: skip
def test_what_a_step_needs_of_its_role_is_told_when_the_plan_is_made(
    roles: str, step: str, expected: str
) -> None:
    problems = told(timeline(step), f"{TARGET}  {roles}\n")
    assert [problem[: len(expected)] for problem in problems] == ([expected] if expected else [])


def test_two_steps_of_one_name_are_told_and_of_no_name_are_numbered() -> None:
    kill = "{at: 1s, fault: process.kill, on: worker"
    (problem,) = told(timeline(kill + ", name: crash}", kill + ", name: crash}"))
    assert problem.startswith("x.yaml:6:53: timeline[1].name: timeline[0] is called 'crash' already")
    Path("x.yaml").write_text(timeline(kill + "}", kill + ", name: process.kill-2}", kill + "}"))
    Path("t.yaml").write_text(TARGET)
    plan = make_plan(files.read("x.yaml", "experiment"), files.read("t.yaml", "target"))
    assert [step.name for step in plan.steps] == ["process.kill", "process.kill-2", "process.kill-3"]


def test_an_objective_counts_from_one_step() -> None:
    kill = "{at: 1s, fault: process.kill, on: worker}"
    objective = "objectives: {downtime: {max: 1s, after: process.kill}}\n"
    assert told(timeline(kill) + objective) == []
    (problem,) = told(timeline(kill, kill) + objective)
    assert problem.endswith("objectives.downtime.after: 2 steps are called 'process.kill'; give each a name")
    (problem,) = told(EXPERIMENT + objective)
    assert "no step is called 'process.kill'; there are: none; the timeline is empty" in problem


def test_a_step_that_cannot_be_read_is_not_missed_by_objectives() -> None:
    objective = "objectives: {downtime: {max: 1s, after: crash}}\n"
    (problem,) = told(timeline("{at: 1, fault: process.kill, on: worker, name: crash}") + objective)
    assert "timeline[0].at: '1' is not a duration" in problem
