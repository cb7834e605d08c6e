"""An SLO of OpenSLO is a promise that a run can judge, or it is refused where it stands."""

import pytest

from seatrial.model.document import parse
from seatrial.model.openslo import Slo, slo_of
from seatrial.model.problems import BadInput

RATIO = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: orders-answered
  displayName: Orders are answered
spec:
  service: shop
  indicator:
    metadata: {name: answered}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: good}}}
        total: {metricSource: {type: Prometheus, spec: {query: all}}}
  timeWindow:
    - duration: 4w
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - displayName: Answered
      target: 0.995
  alertPolicies: [burn-rate]
"""
THRESHOLD = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: quick, annotations: {seatrial/latency-in: ms}}
spec:
  indicator:
    metadata: {name: latency}
    spec: {thresholdMetric: {metricSource: {type: Prometheus, spec: {query: latency}}}}
  objectives:
    - {op: lte, value: 900, target: 0.95}
    - {op: lt, value: 2000, targetPercent: 99}
"""


def read(text: str) -> Slo:
    return slo_of(parse(text, "slo.yaml"))


def refusals(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


def test_a_ratio_is_the_share_of_bad_requests_and_a_budget() -> None:
    slo = read(RATIO)
    assert slo.errors is not None
    assert slo.errors.max.fraction == 0.005
    assert slo.latency is None
    assert slo.allowance is not None
    assert (slo.allowance.slo, slo.allowance.target) == ("orders-answered", 0.995)
    assert slo.allowance.budget_s == pytest.approx(28 * 86_400 * 0.005)
    per_cent = read(RATIO.replace("target: 0.995", "targetPercent: 99.5"))
    assert per_cent.errors == slo.errors


@pytest.mark.parametrize(
    ("written", "days"), [("30d", 30), ("1M", 30), ("1Q", 90), ("1Y", 365), ("12h", 0.5)]
)
def test_a_window_is_as_long_as_it_says(written: str, days: float) -> None:
    allowance = read(RATIO.replace("4w", written)).allowance
    assert allowance is not None
    assert allowance.window_s == pytest.approx(days * 86_400)


def test_a_threshold_that_is_said_to_be_a_latency_limits_percentiles() -> None:
    slo = read(THRESHOLD)
    assert slo.latency is not None
    assert {name: limit.seconds for name, limit in slo.latency.limits().items()} == {"p95": 0.9, "p99": 2.0}
    assert (slo.errors, slo.allowance) == (None, None)
    in_seconds = read(THRESHOLD.replace("latency-in: ms", "latency-in: s")).latency
    assert in_seconds is not None
    assert in_seconds.p95 is not None
    assert in_seconds.p95.seconds == 900


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("openslo/v1", "openslo/v2alpha"), "slo.yaml:1:13: apiVersion: 'openslo/v2alpha' is not one of openslo/v1"),
        (("kind: SLO", "kind: SLI"), "slo.yaml:2:7: kind: 'SLI' is not one of SLO"),
        (("Occurrences", "Timeslices"), "slo.yaml:18:20: spec.budgetingMethod: counts time slices"),
        (("duration: 4w", "duration: 28 days"), "slo.yaml:16:17: spec.timeWindow[0].duration: is no duration"),
        (("target: 0.995", "target: 1"), "slo.yaml:21:15: spec.objectives[0].target: input should be less than 1"),
        (("      target: 0.995\n", ""), "slo.yaml:20:7: spec.objectives[0]: needs either a target or a targetPercent"),
        (("target: 0.995", "target: 0.9\n    - target: 0.99"), "slo.yaml:22:7: spec.objectives[1]: is about the same"),
        (("target: 0.995", "target: 0.9\n      compositeWeight: 2"), "slo.yaml:22:24: spec.objectives[0].compositeWeight: is of a composite"),
        (("target: 0.995", "target: 0.9\n      timeSliceWindow: 1m"), "slo.yaml:22:24: spec.objectives[0].timeSliceWindow: is of time slices"),
        (("  service: shop\n", "  service: shop\n  indicatorRef: other\n"), "slo.yaml:8:17: spec.indicatorRef: is in another file"),
        (("alertPolicies", "alertPolicy"), "slo.yaml:22:3: spec.alertPolicy: unknown key 'alertPolicy'"),
    ],
)  # fmt: skip
def test_what_a_run_cannot_judge_is_refused_where_it_stands(change: tuple[str, str], told: str) -> None:
    assert change[0] in RATIO
    (refused,) = refusals(RATIO.replace(*change))
    assert refused.startswith(told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((", annotations: {seatrial/latency-in: ms}", ""), "slo.yaml:7:29: spec.indicator.spec.thresholdMetric: does not say that it is a latency"),
        (("op: lte", "op: gte"), "slo.yaml:9:12: spec.objectives[0].op: a latency has an upper limit alone"),
        (("value: 900, ", ""), "slo.yaml:9:7: spec.objectives[0]: a latency's limit is a value above 0"),
        (("target: 0.95", "target: 0.97"), "slo.yaml:9:37: spec.objectives[0].target: a run has no such percentile"),
        (("targetPercent: 99", "target: 0.95"), "slo.yaml:10:37: spec.objectives[1].target: another objective limits the same"),
    ],
)  # fmt: skip
def test_a_threshold_that_limits_no_percentile_is_refused(change: tuple[str, str], told: str) -> None:
    refused = refusals(THRESHOLD.replace(*change))
    assert refused[0].startswith(told)
