"""Two runs of one experiment side by side: did anything really change?

Two measured intervals that overlap may hold the same true value, so only disjoint ones are called different.
Percentiles and shares carry no bounds; of them only the direction is said, and by how much.
"""

from __future__ import annotations

import math
from enum import StrEnum

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from seatrial.model.figures import allowed, at_least
from seatrial.model.result import ObjectiveResult, RunResult
from seatrial.report.terminal import verdict_text
from seatrial.report.views import measured_text


class Change(StrEnum):
    """What an objective's two measurements say about each other."""

    BETTER = "clearly better"
    WORSE = "clearly worse"
    ALIKE = "cannot be told apart"
    HIGHER = "higher"
    LOWER = "lower"
    EQUAL = "the same"
    INCOMPARABLE = "not comparable"


def change(before: ObjectiveResult | None, after: ObjectiveResult | None) -> Change:
    """How `after` stands to `before`."""
    if before is None or after is None or before.unit != after.unit:
        return Change.INCOMPARABLE
    if before.lower is None or after.lower is None:
        return Change.INCOMPARABLE
    before_upper, after_upper = _upper(before), _upper(after)
    if before.lower == before_upper and after.lower == after_upper:
        return _of_values(before.lower, after.lower)
    if after.lower > before_upper:
        return Change.BETTER if at_least(after.unit) else Change.WORSE
    if after_upper < before.lower:
        return Change.WORSE if at_least(after.unit) else Change.BETTER
    return Change.ALIKE


def _upper(one: ObjectiveResult) -> float:
    """The upper end; infinite when the end was never seen, which a file tells as null."""
    return math.inf if one.upper is None else one.upper


def _of_values(before: float, after: float) -> Change:
    if before == after:
        return Change.EQUAL
    return Change.HIGHER if after > before else Change.LOWER


def compare(result_a: RunResult, result_b: RunResult) -> RenderableType:
    """Objective by objective: both intervals, and whether they overlap or are clearly different."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for heading in ("objective", "target", "A", "B", "B against A"):
        table.add_column(heading, overflow="fold")
    first = {one.name: one for one in result_a.objectives}
    second = {one.name: one for one in result_b.objectives}
    for name in dict.fromkeys((*first, *second)):
        before, after = first.get(name), second.get(name)
        table.add_row(
            Text(name), _target(before, after), _measured(before), _measured(after), _change(before, after)
        )
    heads = [_run("A", result_a), _run("B", result_b)]
    if result_a.experiment != result_b.experiment:
        heads.append(Text("These are runs of different experiments.", style="bold magenta"))
    none = Text("Neither run has an objective on record.")
    return Group(*heads, Text(), table if table.row_count else none)


def _run(letter: str, result: RunResult) -> Text:
    return Text.assemble((f"{letter}  ", "bold"), f"{result.run}  ", verdict_text(result.verdict))


def _target(before: ObjectiveResult | None, after: ObjectiveResult | None) -> str:
    targets = dict.fromkeys(allowed(one.target, one.unit) for one in (before, after) if one is not None)
    return " then ".join(targets)


def _measured(one: ObjectiveResult | None) -> str:
    return "–" if one is None else measured_text(one)


def _change(before: ObjectiveResult | None, after: ObjectiveResult | None) -> Text:
    found = change(before, after)
    style = {Change.BETTER: "green", Change.WORSE: "red", Change.INCOMPARABLE: "magenta"}.get(found, "")
    text = Text(found, style=style)
    if (
        found in (Change.HIGHER, Change.LOWER)
        and before
        and after
        and before.lower
        and after.lower is not None
    ):
        text.append(f" by {abs(after.lower / before.lower - 1):.1%}")
    return text
