"""Bad files are told apart at their line and column, all problems at once, and never with a traceback."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.model.document import build, dotted, parse
from seatrial.model.experiment import Experiment
from seatrial.model.problems import BadInput, Problem
from seatrial.model.target import Target

EXPERIMENT = """\
experiment: blue-green-rollback
title: Rolling back from green to blue at peak traffic
covers: [ADR-003]
load:
  scenario: loadtests/storefront.py
  rate: 10000/min
  arrivals: even
  deadline: 2s
warmup: 5s
duration: 40s
timeline:
  - {at: 5s, action: deploy.switch, on: edge, with: {to: green}}
  - {at: 20s, action: deploy.rollback, on: edge, name: rollback}
objectives:
  downtime: {max: 5s, after: rollback}
  latency: {p95: 900ms}
  errors: {max: 1%}
checks:
  - acknowledged-writes
  - served-by: {release: blue}
guards:
  - {errors: 90%, for: 30s}
incident: {severity: critical}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        build(Experiment, parse(text, "x.yaml"))
    return [str(problem) for problem in caught.value.problems]


def test_the_design_s_example_is_understood() -> None:
    experiment = build(Experiment, parse(EXPERIMENT, "x.yaml"))
    assert experiment.load.steps[0].rate.interval_s == 0.006
    assert [step.label for step in experiment.timeline] == ["deploy.switch", "rollback"]
    assert experiment.timeline[0].with_ == {"to": "green"}
    assert [check.check for check in experiment.checks] == ["acknowledged-writes", "served-by"]
    assert experiment.objectives.downtime[0].after == "rollback"


def test_only_three_keys_are_required() -> None:
    text = "experiment: plain\nload: {scenario: a.py, rate: 10/s}\nduration: 10s\n"
    experiment = build(Experiment, parse(text, "x.yaml"))
    assert experiment.timeline == ()
    assert problems("title: nothing else\n") == [
        "x.yaml:1:1: experiment: is required and missing",
        "x.yaml:1:1: load: is required and missing",
        "x.yaml:1:1: duration: is required and missing",
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("warmup: 5s", "warmpu: 5s", "x.yaml:9:1: warmpu: unknown key 'warmpu'; did you mean 'warmup'?"),
        ("on: edge, with", "onn: edge, with", "x.yaml:12:37: timeline[0].onn: unknown key 'onn'; did you mean 'on'?"),
        ("10000/min", "10000", "x.yaml:6:9: load.rate: '10000' is not a rate; write it like 10000/min or 500/s"),
        ("arrivals: even", "arrivals: evne", "x.yaml:7:13: load.arrivals: 'evne' is not one of even, poisson; did you mean 'even'?"),
        ("duration: 40s", "duration: 0s", "x.yaml:10:11: duration: must be longer than 0s"),
        ("duration: 40s", "duration: [40s]", "x.yaml:10:11: duration: '['40s']' is not a duration; write it like 250ms, 5s, 1m30s or 2h"),
        ("{errors: 90%, for: 30s}", "{for: 30s}", "x.yaml:22:5: guards[0]: a guard needs a condition: errors, p95 or probe"),
        ("covers: [ADR-003]", "covers: ADR-003", "x.yaml:3:9: covers: 'ADR-003' stands where a list is expected"),
        ("covers: [ADR-003]", "covers: [3]", "x.yaml:3:10: covers[0]: '3' stands where text (quote it) is expected"),
        ("duration: 40s", "duration:", "x.yaml:10:10: duration: is empty, and not a duration; write it like"),
        ("title: R", "title: null #", "x.yaml:2:8: title: is empty, where text (quote it) is expected"),
        ("deadline: 2s", "deadline: 0s", "x.yaml:8:13: load.deadline: must be longer than 0s"),
        ("deadline: 2s", "seed: -1", "x.yaml:8:9: load.seed: input should be greater than or equal to 0"),
        ("rate: 10000/min", "rate: 0/s", "x.yaml:6:9: load.rate: a load of nothing measures nothing"),
        ("rate: 10000/min", "rate: [{at: 1s, rate: 1/s}]", "x.yaml:6:9: load.rate: a shape starts at 0s"),
        ("rate: 10000/min", "rate: {request: 1/s}", "x.yaml:6:9: load.rate: unknown key 'request'; did you mean 'requests'?"),
        ("rate: 10000/min", "rate: {requests: fast}", "x.yaml:6:9: load.rate: 'fast' is not a rate; write it like 10000/min"),
        ("rate: 10000/min", "rate: {}", "x.yaml:6:9: load.rate: names nothing that is counted; write {requests: 10000/min}"),
        ("rate: 10000/min", "rate: [{at: 0s, rate: 1/s}, {at: 1s, rate: {requests: 1/s}}]",
         "x.yaml:6:9: load.rate: counts arrivals in one step and requests in another; count one of them in all"),
        ("rate: 10000/min", "rate: [{at: 0s, rate: {requests: 0/s}}, {at: 1s, rate: {requests: 1/s}}]",
         "x.yaml:6:9: load.rate: a shape that counts requests begins with some"),
        ("rate: 10000/min", "rate: {to: 10/s, over: 5s}",
         "x.yaml:6:9: load.rate[0]: says not where the ramp begins: from"),
        ("rate: 10000/min", "rate: [{at: 0s, rate: 1/s}, {at: 5s, to: 10/s}]",
         "x.yaml:6:31: load.rate[1].over: is required and missing: how long the ramp takes"),
        ("rate: 10000/min", "rate: [{at: 0s, rate: 1/s}, {to: 10/s, over: 5s}]",
         "x.yaml:6:31: load.rate[1]: says not when it begins"),
        ("rate: 10000/min", "rate: [{at: 0s, rate: 1/s, over: 5s}]", "load.rate[0].over: 'over' belongs to a ramp"),
        ("rate: 10000/min", "rate: [{at: 0s, rate: 1/s, for: 5s}]", "load.rate[0]: a spike goes back to the rate before it"),
        ("rate: 10000/min", "rate: [{from: 1/s, to: 2/s, over: 5s}, {at: 4s, rate: 1/s}]",
         "load.rate[1]: begins at 4s, and the segment before it ends at 5s"),
        ("rate: 10000/min", "rate: {from: 1/s, to: {requests: 2/s}, over: 5s}", "counts arrivals in one step and requests"),
        ("rate: 10000/min", "rate: {from: 0/s, to: 0/s, over: 5s}", "a load of nothing measures nothing"),

        ("10000/min\n  arrivals: even\n  deadline: 2s\nwarmup: 5s", "{requests: 1/s}\nwarmup: 0s",
         "x.yaml:7:9: warmup: must be longer than 0s: the rate counts requests, and learns from it"),
        ("{p95: 900ms}", "{}", "x.yaml:16:12: objectives.latency: limits nothing; write a percentile: p95: 900ms"),
        ("- acknowledged-writes", "- 7", "x.yaml:19:5: checks[0]: a check is its name, or one name with its parameters: served-by: {release: blue}"),
        ("title: R", "title: a\ntitle: R", "x.yaml:3:1: title: the key stands here twice"),
        ("title: R", "title: !!python/name:os.system R", "tag"),
        ("title: R", "title: [R", "x.yaml:3:7: not valid YAML: expected ',' or ']', but got ':'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_stands(old: str, new: str, expected: str) -> None:
    assert any(expected in problem for problem in problems(EXPERIMENT.replace(old, new)))


def test_all_problems_are_told_at_once_in_the_file_s_order() -> None:
    text = EXPERIMENT.replace("warmup", "warmpu").replace("10000/min", "fast").replace("max: 1%", "max: 2")
    assert [problem.split(":")[1] for problem in problems(text)] == ["6", "9", "17"]


def test_yaml_1_1_surprises_are_gone() -> None:
    data = parse("on: yes\nat: 02:30\nday: 2026-11-24\nn: 010\nempty:\n", "x.yaml").data
    assert data == {"on": "yes", "at": "02:30", "day": "2026-11-24", "n": 10, "empty": None}


def test_a_chain_of_aliases_does_not_fill_the_memory() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{previous}'] * 10)}]\n"
        for previous, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(BadInput, match="too many values"):
        parse(bomb, "x.yaml")


def test_a_target_refuses_hosts_that_it_does_not_allow() -> None:
    text = "target: shop\nbase_url: http://10.1.2.3:80\nallow: [127.0.0.1, 192.168.0.0/16]\n"
    with pytest.raises(BadInput, match=r"the host 10\.1\.2\.3 is not in allow"):
        build(Target, parse(text, "t.yaml"))


def test_a_problem_is_placed_by_its_path_and_falls_back_on_what_is_around_it() -> None:
    document = parse("roles:\n  a.b: {driver: redis}\n", "t.yaml")
    place = ("roles", "a.b")
    assert str(document.placed(Problem("odd", path=(*place, "driver"), key=True))) == (
        "t.yaml:2:9: roles.a.b.driver: odd"
    )
    assert str(document.placed(Problem("missing", path=(*place, "url")))) == (
        "t.yaml:2:8: roles.a.b.url: missing"
    )
    assert document.at((*place, "driver")) == "redis"
    assert document.at((*place, "driver", "x", 3)) is None


def test_dotted() -> None:
    assert dotted(("timeline", 1, "with", "to")) == "timeline[1].with.to"


FRAGMENTS = st.sampled_from(
    ["{", "}", "[", "]", ":", "-", "\n", "  ", "&a", "*a", "!!str", "|", ">", "'", '"', "#", "%", "\t", "\x00", "…", "? ",
     "null", "true", "1e999", "0x1", "\ud800", "---\n", "...\n", "<<: *a", "5s", "10000/min", "at", "timeline:"]
)  # fmt: skip


def survives(text: str) -> None:
    for record in (Experiment, Target):
        try:
            build(record, parse(text, "x.yaml"))
        except BadInput as error:
            assert error.problems
            assert all(str(problem).startswith("x.yaml") for problem in error.problems)


@settings(max_examples=50)
@given(
    st.integers(0, len(EXPERIMENT)), st.integers(0, 60), st.lists(FRAGMENTS | st.text(max_size=5), max_size=6)
)
def test_mutated_files_never_cause_a_traceback(start: int, length: int, parts: list[str]) -> None:
    survives(EXPERIMENT[:start] + "".join(parts) + EXPERIMENT[start + length :])


@settings(max_examples=50)
@given(st.lists(FRAGMENTS | st.text(max_size=8), max_size=30))
def test_random_files_never_cause_a_traceback(parts: list[str]) -> None:
    survives("".join(parts))


@pytest.mark.parametrize(
    "text", ["[" * 5000, "{a: " * 3000, "- " * 4000, "a: " + "9" * 5000, "", "\x00", "x" * 1_000_001]
)
def test_extreme_files_never_cause_a_traceback(text: str) -> None:
    survives(text)
