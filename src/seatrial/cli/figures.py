"""Measurements and suites as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from seatrial.model.figures import bounds, count, seconds, share
from seatrial.model.result import Bounds, Measurement, ObjectiveResult
from seatrial.model.suiteresult import SuiteResult
from seatrial.model.verdict import Verdict
from seatrial.report.noticing import sentence
from seatrial.report.sentences import generator, what_clients_saw
from seatrial.report.terminal import verdict_text
from seatrial.report.unpromised import million
from seatrial.report.views import latency, measured_text, revision

if TYPE_CHECKING:
    from seatrial.store import RunSummary

_MOST_OUTAGES = 20


def measured_table(measured: Measurement, doubt: str) -> RenderableType:
    """What `seatrial measure` prints. `doubt`: why the load generator cannot be believed, or empty."""
    facts = Table.grid(padding=(0, 3))
    for name, value in _facts(measured):
        facts.add_row(name, value)
    parts: list[RenderableType] = [facts]
    if not measured.generator.sent:
        parts += [Text(), Text(what_clients_saw(measured))]
    elif measured.outages:
        parts += [Text(), _outages(measured)]
    if measured.silences:
        parts += [Text(), _silences(measured)]
    parts += [Text(), Text(generator(measured.generator, doubt))]
    return Group(*parts)


def _facts(measured: Measurement) -> Iterator[tuple[str, str]]:
    """What is known; of requests that were never sent, only how many they are."""
    over = f" over {seconds(measured.length_s)}" if measured.generator.achieved_per_s is not None else ""
    yield "requests", f"{count(measured.requests)}{over}"
    if not measured.generator.sent:
        return
    yield "bad", f"{count(measured.bad)} ({share(measured.bad / measured.requests)})"
    about = "about " if measured.exact.inexact else ""
    yield "degraded", about + seconds(measured.degraded_s)
    yield "equivalent outage", about + seconds(measured.equivalent_outage_s)
    gap = measured.completion_gap
    yield "completion gap", bounds(gap).bracketed if measured.exact.inexact else seconds(gap.lower_s)
    if measured.latency is None and not measured.exact.took:
        yield "latency", "not told by this log"
        return
    if measured.latency is None:
        yield "latency", "no request was answered well"
        return
    shown = latency(measured.latency)
    yield "latency", f"p50 {shown.p50}, p95 {shown.p95}, p99 {shown.p99}, max {shown.max}"


def runs_table(runs: Sequence[RunSummary]) -> RenderableType:
    """What `seatrial report list` prints."""
    if not runs:
        return Text("no such run is on record")
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    # only where there is any of them to tell
    noticed, priced = any(run.detections for run in runs), any(run.cost for run in runs)
    beside = [*(["noticed"] if noticed else []), *(["a million requests"] if priced else [])]
    for column in ("run", "target", "verdict", "measured", *beside, "version", "revision", "evidence"):
        table.add_column(column, overflow="fold", no_wrap=column in ("run", "verdict"))
    for run in runs:
        measured = ", ".join(_key_figure(each) for each in run.objectives if each.lower is not None)
        versions = dict.fromkeys(filter(None, (run.version_before, run.version_after)))
        deleted = run.evidence_deleted_at
        table.add_row(
            Text(run.run),
            Text(run.target),
            verdict_text(run.verdict),
            Text(measured),
            *([Text("\n".join(map(sentence, run.detections)))] if noticed else []),
            *([Text(million(run.cost))] if priced else []),
            Text(", ".join(versions)),
            Text(revision(run.origin.revision)),
            Text(f"deleted {deleted:%Y-%m-%d}" if deleted else ""),
        )
    return table


def suite_table(whole: SuiteResult) -> RenderableType:
    """What `seatrial suite` prints at the end: each run, what was measured, and the verdict of the whole."""
    table = Table(
        box=None, pad_edge=False, padding=(0, 3, 0, 0), title=whole.title or whole.suite, title_justify="left"
    )
    for column in ("experiment", "verdict", "measured", "why"):
        table.add_column(column)
    for result in whole.runs:
        measured = ", ".join(_key_figure(each) for each in result.objectives if each.upper is not None)
        table.add_row(
            result.experiment,
            verdict_text(result.verdict),
            measured,
            result.reasons[0] if result.reasons else "",
        )
    for name in whole.not_run:
        table.add_row(name, verdict_text(Verdict.UNKNOWN), "", "not run: the suite was interrupted")
    return Group(table, Text(), Text.assemble(verdict_text(whole.verdict), f"  {whole.directory}"))


def _key_figure(objective: ObjectiveResult) -> str:
    return f"{objective.name} {measured_text(objective)}"


def _silences(measured: Measurement) -> Table:
    """Where a log that lacks failures says nothing: an outage of 0 seconds at the least."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in ("silence at", "an outage of", "requests expected, at least"):
        table.add_column(column, justify="right")
    for silence in measured.silences[:_MOST_OUTAGES]:
        at_most = bounds(Bounds(0.0, silence.upper_s)).bracketed
        table.add_row(seconds(silence.start_s), at_most, count(round(silence.expected)))
    if len(measured.silences) > _MOST_OUTAGES:
        table.add_row(f"… {len(measured.silences) - _MOST_OUTAGES} more", "", "")
    return table


def _outages(measured: Measurement) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in ("outage at", "perceived", "server", "bad", "runs"):
        table.add_column(column, justify="right")
    for outage in measured.outages[:_MOST_OUTAGES]:
        table.add_row(
            seconds(outage.start_s),
            bounds(outage.perceived).bracketed,
            bounds(outage.server).bracketed,
            count(outage.bad),
            count(outage.runs),
        )
    if len(measured.outages) > _MOST_OUTAGES:
        table.add_row(f"… {len(measured.outages) - _MOST_OUTAGES} more", "", "", "", "")
    return table
