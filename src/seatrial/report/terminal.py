"""The run in one screen, for a tired person at three in the morning."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from seatrial.model.figures import allowed, count, latency, named, rate
from seatrial.model.result import GeneratorAudit, RunResult
from seatrial.model.verdict import Verdict
from seatrial.report import noticing, sentences
from seatrial.report.steps import left_behind, undone
from seatrial.report.views import measured_text
from seatrial.report.views import step as step_view

_STYLE = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.UNKNOWN: "magenta"}
# A word and a mark: colours are lost in logs, and to one man in twelve.
_MARK = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.UNKNOWN: "?"}
_MOST_REASONS = 8


def summary(result: RunResult, report: str = "") -> RenderableType:
    """What happened, what was promised, what was measured; `report` says where to read on."""
    parts: list[RenderableType] = [_heading(result)]
    parts += [Padding(Text(f"• {reason}"), (0, 0, 0, 2)) for reason in result.reasons[:_MOST_REASONS]]
    if len(result.reasons) > _MOST_REASONS:
        parts.append(Text(f"  … and {len(result.reasons) - _MOST_REASONS} more reasons in the report"))
    if result.objectives:
        parts += [Text(), _objectives(result)]
    for table in (_checks(result), _steps(result)):
        if table.row_count:
            parts += [Text(), table]
    parts += [Text(), *_closing(result, report)]
    return Group(*parts)


def verdict_text(verdict: Verdict) -> Text:
    """The verdict as a mark and a word."""
    return Text(f"{_MARK[verdict]} {verdict}", style=f"bold {_STYLE[verdict]}", no_wrap=True)


def row_verdict_text(verdict: str) -> Text:
    """The verdict of a row of the matrix, which can be stale as well."""
    if verdict == "stale":
        return Text("◷ stale", style="bold yellow", no_wrap=True)
    return verdict_text(Verdict(verdict))


def _heading(result: RunResult) -> RenderableType:
    badge = Text(
        f" {_MARK[result.verdict]} {result.verdict.upper()} ", style=f"bold reverse {_STYLE[result.verdict]}"
    )
    title = Text(f" {result.title or result.experiment}", style="bold")
    return Group(
        Text.assemble(badge, title), Text(f"{sentences.headline(result)} ({result.target})", style="dim")
    )


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", expand=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _objectives(result: RunResult) -> Table:
    table = _table("objective", "target", "measured", "verdict")
    for column in table.columns[1:3]:
        column.justify = "right"
    for one in result.objectives:
        target = allowed(one.target, one.unit)
        table.add_row(Text(one.name), target, Text(measured_text(one)), verdict_text(one.verdict))
    return table


def _checks(result: RunResult) -> Table:
    table = _table("check", "verdict", "found")
    for check in result.checks:
        told = " · ".join(named(name, value) for name, value in check.figures.items())
        found = Text.assemble(check.detail, (f"\n{told}" if told else "", "dim"))
        table.add_row(Text(check.name), verdict_text(check.verdict), found)
    return table


def _steps(result: RunResult) -> Table:
    table = _table("step", "planned", "happened", "undone")
    for number_, one in enumerate(result.steps, start=1):
        view = step_view(number_, one)
        style = "bold red" if one.left_behind else ""
        table.add_row(
            Text(view.name),
            view.planned,
            Text(f"{view.happened} {view.error}".strip()),
            Text(", ".join(dict.fromkeys([view.undone, undone(one)])), style=style),
        )
    return table


def _spent(result: RunResult) -> Iterator[Text]:
    budget, cost = sentences.error_budget(result.error_budget), sentences.run_cost(result.cost)
    for what, told in (("budget     ", budget), ("cost       ", cost)):
        if told:
            yield Text.assemble((what, "dim"), told)


def _closing(result: RunResult, report: str) -> Iterator[Text]:
    if result.measurement is None:
        found = sentences.capacity(result)
        yield Text(found or "Nothing could be measured.", style="" if found else "bold magenta")
    else:
        yield Text(sentences.what_clients_saw(result.measurement))
        yield from _spent(result)
        yield from _told_of_steps(result)
        if offered := sentences.load(result.measurement.generator, result.load):
            yield Text.assemble(("load       ", "dim"), offered)
        if clients := sentences.clients(result.load, result.measurement.generator):
            yield Text.assemble(("clients    ", "dim"), clients)
        yield _generator(result.measurement.generator)
    if result.scenario is not None and result.scenario.errors:
        yield Text.assemble(("scenario   ", "dim"), sentences.scenario(result.scenario))
    for call in result.scenario.blocking[:3] if result.scenario is not None else ():
        yield Text.assemble(("stopped    ", "dim"), f"the load generator: {call}")
    if result.version is not None:
        yield Text.assemble(("version    ", "dim"), str(result.version))
    if report:
        yield Text.assemble(("report     ", "dim"), report)


def _told_of_steps(result: RunResult) -> Iterator[Text]:
    for one in result.failovers:
        yield Text.assemble(("failover   ", "dim"), f"{one.step}: {sentences.failover(one)}")
    for told in result.detections:
        yield Text.assemble(("noticed    ", "dim"), noticing.sentence(told))


def to_do(result: RunResult) -> Iterator[str]:
    """What a person has to do now, for the last lines, which stay on the screen; else nothing.

    Apart from the summary, for a command that is to be copied must not be broken into lines or cut.
    """
    for step in result.left_behind:
        yield left_behind(step)
        if step.by_hand:
            yield f"by hand    {step.by_hand}"
    if result.left_behind:
        yield "then       seatrial recover"


def _generator(audit: GeneratorAudit) -> Text:
    dropped = ("bold red" if audit.dropped else "", f"{count(audit.dropped)} dropped")
    late = (audit.late_p50_ms, audit.late_p99_ms, audit.late_max_ms)
    p50, p99, most = (latency(each, audit.sent) for each in late)
    return Text.assemble(
        ("generator  ", "dim"),
        f"{count(audit.scheduled)} scheduled, {count(audit.sent)} sent, ",
        (dropped[1], dropped[0]),
        f", {count(audit.unanswered)} unanswered; ",
        f"late p50 {p50}, p99 {p99}, max {most}; {rate(audit.achieved_per_s)} of {rate(audit.offered_per_s)}",
    )
