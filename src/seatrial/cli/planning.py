"""`seatrial run --dry-run`: who would be touched, how, how that would be undone, and what cannot be done."""

from __future__ import annotations

from rich.table import Table

from seatrial.cli.terminal import out
from seatrial.run.plan import Plan
from seatrial.trials.preview import Preview


def show(preview: Preview) -> None:
    """Print it."""
    plan, experiment = preview.plan, preview.plan.experiment
    out.print(f"{experiment.experiment}: {experiment.title}", markup=False, style="bold")
    _line("why", experiment.hypothesis)
    _line("target", f"{plan.target.target} ({plan.target.environment}) at {plan.address}")
    _line("may touch", ", ".join(plan.target.allow))
    counted = ", counted in requests" if experiment.load.counts == "requests" else ""
    shape = "; ".join(plan.replay.told()) if plan.replay else ", ".join(map(str, plan.shape))
    spaced = "" if plan.replay else f", {experiment.load.arrivals} arrivals"
    _line("load", f"{_driven(plan)}, {shape}{counted}{spaced}")
    _line(
        "time",
        f"{experiment.warmup} warm-up, {experiment.duration} measured, deadline {experiment.load.deadline}",
    )
    _line("variables", ", ".join(plan.variables))  # names alone: a value may be a secret
    if plan.data is not None and experiment.load.data is not None:
        secret = f", secret {', '.join(plan.data.secret)}" if plan.data.secret else ""
        named, columns = experiment.load.data.file, ", ".join(plan.data.columns)
        _line("data", f"{named}, {plan.data.rows:,} rows of {columns}, order {plan.data.order}{secret}")
    dns = experiment.load.dns
    _line("clients", f"connections {experiment.load.connections}, names {dns.select}, ttl {dns.ttl}")
    _line("workers", ", ".join(plan.workers.told()))
    if plan.steps:
        out.print(_steps(preview))
    for check in experiment.checks:
        _line("check", f"{check.check} {check.with_ or ''}")
    for missing in plan.lacking():
        _line("not here", missing)
    if plan.steps and not preview.looked:
        _line("note", "the target is not there to be looked at: seatrial testbed up, and ask again")


def _driven(plan: Plan) -> str:
    """The scenario, and what of it."""
    load = plan.experiment.load
    parts = ((load.users, "users"), (load.tags, "tags"), (load.exclude_tags, "without tags"))
    narrowed = [f"{what} {', '.join(names)}" for names, what in parts if names]
    return ", ".join([*(path.name for path in plan.scenarios), *narrowed])


def _line(name: str, text: str) -> None:
    if text:
        out.print(f"{name:<10} {text}", markup=False, soft_wrap=True)


def _steps(preview: Preview) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("at", "for", "step", "does", "touches", "undone by hand with"):
        table.add_column(column, overflow="fold")
    for each in preview.steps:
        step = each.step
        length = f"{step.for_s:g} s" if step.for_s else ""
        undone = "nothing: it stays, no undo is declared" if each.lasting else each.by_hand
        table.add_row(f"{step.at_s:g} s", length, step.name, step.fault.name, each.touches, undone)
    return table
