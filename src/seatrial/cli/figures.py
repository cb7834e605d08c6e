"""A measurement as a table."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from seatrial.model.result import Measurement
from seatrial.report.figures import count, interval, number, seconds, share
from seatrial.report.sentences import generator

_MOST_OUTAGES = 20


def measured_table(measured: Measurement) -> RenderableType:
    """What `seatrial measure` prints."""
    facts = Table.grid(padding=(0, 3))
    facts.add_row("requests", f"{count(measured.requests)} over {seconds(measured.end_s - measured.start_s)}")
    facts.add_row(
        "bad",
        f"{count(measured.bad)} ({share(measured.bad / measured.requests if measured.requests else 0.0)})",
    )
    facts.add_row("degraded", seconds(measured.degraded_s))
    facts.add_row("equivalent outage", seconds(measured.equivalent_outage_s))
    facts.add_row("completion gap", seconds(measured.completion_gap.lower_s))
    if measured.latency:
        latency = measured.latency
        shown = [
            ("p50", latency.p50_ms),
            ("p95", latency.p95_ms),
            ("p99", latency.p99_ms),
            ("max", latency.max_ms),
        ]
        facts.add_row("latency", ", ".join(f"{name} {number(value, 'ms')}" for name, value in shown))
    parts: list[RenderableType] = [facts]
    if measured.outages:
        parts += [Text(), _outages(measured)]
    parts += [Text(), Text(generator(measured.generator, ""))]
    return Group(*parts)


def _outages(measured: Measurement) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in ("outage at", "perceived", "server", "bad", "runs"):
        table.add_column(column, justify="right")
    for outage in measured.outages[:_MOST_OUTAGES]:
        table.add_row(
            seconds(outage.start_s),
            interval(outage.perceived.lower_s, outage.perceived.upper_s, "s").bracketed,
            interval(outage.server.lower_s, outage.server.upper_s, "s").bracketed,
            count(outage.bad),
            count(outage.runs),
        )
    if len(measured.outages) > _MOST_OUTAGES:
        table.add_row(f"… {len(measured.outages) - _MOST_OUTAGES} more", "", "", "", "")
    return table
