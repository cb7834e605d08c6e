"""Options of every command whose load may be shared among processes or machines, in one place.

A command takes them as one parameter, `sharing`; `with_workers` spreads it out for the command line.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from seatrial.model.problems import Problems
    from seatrial.model.workers import Workers


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who shares a load and how, as options say it. None: not said."""

    workers: Annotated[
        int,
        typer.Option("--workers", metavar="N", min=0, help="Share the load among N processes here."),
    ] = 0
    expect_workers: Annotated[
        int,
        typer.Option(
            "--expect-workers", metavar="N", min=0, help="Share it with N processes that you start elsewhere."
        ),
    ] = 0
    workers_at: Annotated[
        str,
        typer.Option(
            "--workers-at", metavar="FILE", help="Share it with workers started by SSH on machines there."
        ),
    ] = ""
    workers_listen: Annotated[
        str | None,
        typer.Option(
            "--workers-listen",
            metavar="ADDRESS[:PORT]",
            help="Where they come to; by default only this machine.",
            show_default="127.0.0.1",
        ),
    ] = None
    on_lost: Annotated[
        str | None,
        typer.Option(
            "--on-lost",
            metavar="WHAT",
            help="A worker is lost: continue, redistribute or abort.",
            show_default="continue",
        ),
    ] = None
    rows: Annotated[
        str | None,
        typer.Option(
            "--rows",
            metavar="WHEN",
            help="When workers' rows come: stream, or keep (at the end).",
            show_default="stream",
        ),
    ] = None

    def read(self, problems: Problems) -> Workers:
        """Who share the load, as far as it can be read."""
        from seatrial.cli.terms import workers_of
        from seatrial.model.workers import ALONE

        with problems.collected():
            return workers_of(self)
        return ALONE


NOT_SAID = Sharing()


def with_workers(command: Callable[..., int]) -> Callable[..., int]:
    """`command`, whose parameter `sharing` is spread out into the options of `Sharing`."""

    @wraps(command)
    def spread(**given: Any) -> int:
        said = Sharing(**{each.name: given.pop(each.name) for each in fields(Sharing)})
        return command(**given, sharing=said)

    own = inspect.signature(command, eval_str=True).parameters
    hints = get_type_hints(Sharing, include_extras=True)
    options = [
        inspect.Parameter(
            each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=hints[each.name]
        )
        for each in fields(Sharing)
    ]
    others = [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for name, each in own.items() if name != "sharing"
    ]
    parameters = [*others, *options]
    spread.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    spread.__annotations__ = {each.name: each.annotation for each in parameters}
    return spread
