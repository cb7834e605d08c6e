"""Synthetic runs: ten thousand requests a minute against a service whose every failure is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from seatrial.model.requestlog import Coded, RequestLog
from seatrial.model.result import (
    Availability,
    Bounds,
    CheckResult,
    GeneratorAudit,
    Latency,
    Measurement,
    ObjectiveResult,
    Outage,
    RunResult,
    StepRecord,
    Witnesses,
)
from seatrial.model.verdict import Verdict, judge_bounds
from seatrial.model.version import TargetVersion
from seatrial.report import Dossier

RATE = 10_000 / 60
DEADLINE_S, SETTLE_S, START_S, END_S = 2.0, 1.0, 0.0, 45.0
NAMES = ("GET /catalogue", "POST /orders", "GET /orders/{id}", "GET /healthz")
YAML = """experiment: blue-green-rollback
title: Rolling back from green to blue at peak traffic
load:
  scenario: loadtests/storefront.py
  rate: 10000/min
  deadline: 2s
warmup: 5s
duration: 45s
timeline:
  - {at: 5s,  action: deploy.switch,   on: edge, with: {to: green}}
  - {at: 20s, action: deploy.rollback, on: edge, name: rollback}
objectives:
  downtime: {max: 5s, after: rollback}
"""


@dataclass(frozen=True)
class Planted:
    """An outage of known place, length and kind: refused, blackhole, stall, or the share that is refused."""

    start_s: float
    length_s: float
    kind: str = "refused"
    share: float = 1.0


def request_log(outages: tuple[Planted, ...] = (), rate: float = RATE, end_s: float = END_S) -> RequestLog:
    """A log from −5 s to `end_s`: blue answers, green from 5 s to 20 s, and `outages` fail as planted."""
    random = np.random.default_rng(7)
    intended = -5.0 + np.arange(int((end_s + 5.0) * rate)) / rate
    count = len(intended)
    sent = intended + random.gamma(2.0, 0.00007, count)
    ended = sent + random.lognormal(-6.6, 0.45, count) * (1 + 4 * np.exp(-np.abs(intended - 5.3) * 3))
    ok = np.ones(count, dtype=np.bool_)
    status = np.full(count, 200, dtype=np.int16)
    served = np.where((intended >= 5.0) & (intended < 20.0), 1, 0).astype(np.int32)
    error = np.zeros(count, dtype=np.int32)
    for planted in outages:
        until = planted.start_s + planted.length_s
        hit = (sent >= planted.start_s) & (sent < until) & (random.random(count) < planted.share)
        if planted.kind == "stall":
            ended[hit] = np.maximum(ended[hit], until + random.random(int(hit.sum())) * 0.02)
            continue
        ok[hit], status[hit], served[hit] = False, 503 if planted.kind == "5xx" else 0, 2
        error[hit] = 2 if planted.kind == "blackhole" else 1
        if planted.kind == "blackhole":
            ended[hit] = np.nan
    name = random.choice(len(NAMES), count, p=(0.55, 0.25, 0.15, 0.05)).astype(np.int32)
    return RequestLog(
        intended, sent, ended, ok, status,
        name=Coded(name, NAMES),
        served_by=Coded(served, ("blue/east", "green/east", "")),
        error=Coded(error, ("", "connection refused", "deadline passed")),
        worker=Coded(np.zeros(count, dtype=np.int32), ("worker-0",)),
    )  # fmt: skip


def outage_of(part: RequestLog, planted: Planted, before: int) -> Outage | None:
    """The planted outage as the design defines its bounds, for one unbroken episode.

    `before`: how many rows of the log come before `part`.
    """
    good = part.good(DEADLINE_S)
    interval = float(np.diff(part.intended[:2])[0])
    due_in = (part.intended >= planted.start_s - interval) & (
        part.intended < planted.start_s + planted.length_s
    )
    bad = np.flatnonzero(~good & due_in)
    if not len(bad):
        return None
    runs = np.split(bad, np.flatnonzero(np.diff(bad) > 1) + 1)
    longest = max(runs, key=len)
    f1, fk = longest[0], longest[-1]
    failed = part.intended[f1] + DEADLINE_S if np.isnan(part.ended[f1]) else part.ended[f1]
    perceived = Bounds(
        float(max(part.intended[fk] - part.sent[f1], 0)), float(part.sent[fk + 1] - part.intended[f1 - 1])
    )
    completed = np.flatnonzero(part.ok & ~np.isnan(part.ended))
    order = completed[np.argsort(part.ended[completed])]
    ended = part.ended[order]
    overlaps = (ended[1:] >= part.intended[f1 - 1]) & (ended[:-1] <= part.sent[fk + 1])
    widest = int(np.argmax(np.where(overlaps, np.diff(ended), -1)))
    gap = float(ended[widest + 1] - part.sent[order[widest]])
    server = Bounds(float(max(part.sent[fk] - failed, 0)), max(perceived.upper_s, gap))
    since = float(part.sent[order[widest]]) if gap > perceived.upper_s else None
    last_good, first_bad, last_bad, first_good = (int(row) + before for row in (f1 - 1, f1, fk, fk + 1))
    step = "rollback" if planted.start_s >= 20 else "deploy.switch" if planted.start_s >= 5 else ""
    start, end = float(part.intended[bad[0]]), float(part.intended[bad[-1]])
    witnesses = Witnesses(last_good, first_bad, last_bad, first_good, since)
    return Outage(step, start, end, perceived, server, len(bad), len(runs), len(bad) * interval, witnesses)


def measurement(log: RequestLog, planted: tuple[Planted, ...]) -> Measurement:
    """What a faithful measurement says of planted outages."""
    part = log.between(START_S, float("inf"))
    bad = int(np.count_nonzero(~part.good(DEADLINE_S)))
    interval = float(np.diff(part.intended[:2])[0])
    answered = ~np.isnan(part.ended)
    latency = (part.ended - part.intended)[answered] * 1000
    before = len(log) - len(part)
    found = [one for one in (outage_of(part, one, before) for one in planted) if one is not None]
    gap = max((one.server.upper_s for one in found), default=interval + 0.004)
    p50, p90, p95, p99 = (float(value) for value in np.percentile(latency, (50, 90, 95, 99)))
    late = [float(value) for value in np.percentile((part.sent - part.intended) * 1000, (50, 99, 100))]
    scheduled, unanswered = len(part), int(np.count_nonzero(~answered))
    audit = GeneratorAudit(
        scheduled, scheduled, scheduled - unanswered, 0, unanswered,
        late_p50_ms=late[0], late_p99_ms=late[1], late_max_ms=late[2],
        offered_per_s=1 / interval, achieved_per_s=1 / interval - 0.02,
    )  # fmt: skip
    worst = 0.76 if bad else 1.0
    return Measurement(
        START_S, END_S, DEADLINE_S, SETTLE_S, scheduled, bad, tuple(found),
        degraded_s=sum(one.end_s - one.start_s for one in found),
        completion_gap=Bounds(max(gap - 0.002, 0.0), gap),
        equivalent_outage_s=bad * interval,
        latency=Latency(p50, p90, p95, p99, float(latency.max())),
        generator=audit,
        availability=tuple(Availability(f"tenant-{name}", 1 - bad / scheduled, 5.0, worst, 18.0) for name in "ab"),
        served_by=(("blue/east", 5000), ("green/east", 2500)),
        errors=(("connection refused", bad),) if bad else (),
    )  # fmt: skip


def _promise(name: str, target: float, lower: float, upper: float, unit: str) -> ObjectiveResult:
    return ObjectiveResult(name, target, lower, upper, unit, judge_bounds(lower, upper, target))


def dossier(kind: str = "pass") -> Dossier:
    """A dossier by what it shows: pass, fail, unknown, none (no outage), many, blackhole, stall, long, empty."""
    planted = {
        "pass": (Planted(20.0, 1.2),),
        "fail": (Planted(20.0, 7.4, "5xx"),),
        "unknown": (Planted(20.0, 4.998),),
        "many": tuple(Planted(6.0 + 1.3 * i, 0.05 + 0.02 * i, "5xx", 0.7) for i in range(24)),
        "blackhole": (Planted(12.0, 0.3), Planted(20.0, 1.2, "blackhole")),
        "stall": (Planted(20.0, 3.1, "stall"),),
        "long": (Planted(8.0, 25.0, "refused"),),
    }.get(kind, ())
    log = request_log(planted)
    measured = measurement(log, planted)
    after = [one for one in measured.outages if one.name == "rollback"]
    worst = max((one.server for one in after), key=lambda one: one.upper_s, default=Bounds(0.0, 0.0))
    assert measured.latency is not None
    assert measured.latency.p95_ms is not None
    p95, share = measured.latency.p95_ms, measured.bad / measured.requests
    objectives = (
        _promise("downtime after rollback", 5.0, worst.lower_s, worst.upper_s, "s"),
        _promise("latency p95", 900.0, p95, p95, "ms"),
        _promise("errors", 0.12, share, share, "ratio"),
        ObjectiveResult("throughput", 150.0, 162.2, 162.2, "per_s", Verdict.PASS),
    )  # fmt: skip
    checks: tuple[CheckResult, ...] = (
        CheckResult("acknowledged-writes", Verdict.PASS, "1,871 writes were acknowledged, all of them were found"),
        CheckResult("served-by", Verdict.PASS, "from 21.3 s on, every answer came from release blue"),
    )  # fmt: skip
    if kind == "unknown":
        checks += (
            CheckResult("audit-chain", Verdict.UNKNOWN, "the check crashed: connection reset by the HSM"),
        )
    steps = (
        StepRecord("deploy.switch", "action", "deploy.switch", "edge", 5.0, 5.0003, 5.0011),
        StepRecord(
            "crash", "fault", "process.pause", "database.standby", 10.0, 10.0004, 10.0019, 16.0021, True
        ),
        StepRecord("rollback", "action", "deploy.rollback", "edge", 20.0, 20.0002, 20.0017),
    )
    verdict = Verdict.merge([one.verdict for one in objectives] + [one.verdict for one in checks])
    reasons = tuple(
        f"{one.name} was not kept" if one.verdict is Verdict.FAIL else f"{one.name} cannot be told"
        for one in sorted(objectives, key=lambda one: one.verdict is not Verdict.FAIL)
        if one.verdict is not Verdict.PASS
    ) + tuple(f"{one.name}: {one.detail}" for one in checks if one.verdict is not Verdict.PASS)
    result = RunResult(
        run="20261124T060102Z-blue-green-rollback",
        experiment="blue-green-rollback",
        title="Rolling back from green to blue at peak traffic",
        target="testbed",
        verdict=verdict,
        reasons=reasons,
        started_at="2026-11-24T06:01:02Z",
        interrupted=False,
        measurement=measured,
        objectives=objectives,
        steps=steps,
        checks=checks,
        covers=("ADR-003",),
        version=TargetVersion("2.4.1", "2.5.0"),
        evidence={"experiment": "experiment.yaml", "journal": "journal.jsonl", "requests": "requests.parquet", "sha256": "9f" * 32},
    )  # fmt: skip
    if kind == "empty":
        result = replace(result, measurement=None, objectives=(), checks=(), steps=(), covers=(), evidence={},
                         verdict=Verdict.UNKNOWN, reasons=("the load process ended before it sent anything",), interrupted=True)  # fmt: skip
        return Dossier(result, None)
    return Dossier(
        result,
        log,
        experiment_yaml=YAML,
        hypothesis="A rollback at peak traffic is noticed by clients for less than five seconds.",
        versions={"seatrial": "0.1.0", "python": "3.11.2", "haproxy": "2.8.25", "postgresql": "18.6"},
        revision=f"{'5e' * 20}+changes",
        machine={"cpu": "2 cores", "memory": "24 GiB", "kernel": "6.1.0"},
        digests={"journal.jsonl": "3c" * 32},
        calibration={"outages": 240, "covered": 239, "coverage": 0.9958, "error_ms": {"lowest": -1.5, "median": 0.4, "highest": 4.9}},
        events=(
            {"event": "run.started", "mono": 100.0, "wall": "2026-11-24T06:01:02+00:00"},
            {"event": "step.done", "mono": 120.0, "wall": "2026-11-24T06:01:22+00:00", "step": "rollback", "took_ms": 1.5},
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def make() -> Callable[[str], Dossier]:
    """Dossiers by what they show."""
    return dossier


@pytest.fixture(scope="session")
def make_log() -> Callable[..., RequestLog]:
    """Request logs with planted outages."""
    return request_log


@pytest.fixture(scope="session")
def make_measurement() -> Callable[..., Measurement]:
    """The measurement that goes with such a log."""
    return measurement


@pytest.fixture(scope="session")
def plant() -> type[Planted]:
    """An outage to plant."""
    return Planted
