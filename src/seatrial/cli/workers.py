"""`seatrial workers`: what starts a master and its workers elsewhere."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from seatrial.cli.examples import examples

commands = typer.Typer(
    no_args_is_help=True, help="Share a load among machines: see also `seatrial run --workers`."
)


class _For(StrEnum):
    """Who starts them."""

    KUBERNETES = "kubernetes"
    COMPOSE = "compose"


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(commands, name="workers")


@commands.callback()
def _root() -> None:
    """Share a load among machines: see also `seatrial run --workers`."""


@commands.command(
    epilog=examples(
        "seatrial workers export kubernetes chaos/load.yaml --target chaos/target.yaml --workers 8",
        "seatrial workers export compose chaos/load.yaml --workers 2 --image registry.example/seatrial:1",
    )
)
def export(
    for_: Annotated[_For, typer.Argument(metavar="FOR", help="kubernetes or compose.")],
    experiment: Annotated[
        str, typer.Argument(metavar="EXPERIMENT", help="Below this directory, with all that it names.")
    ],
    target: Annotated[
        str, typer.Option("--target", metavar="FILE", help="The target, below it as well.")
    ] = "",
    also: Annotated[
        list[str] | None,
        typer.Option("--also", metavar="PATH", help="What a scenario opens by itself; may be repeated."),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, help="How many.")] = 2,
    image: Annotated[str, typer.Option("--image", help="An image with seatrial in it.")] = "seatrial:latest",
) -> None:
    """Print what starts a master and its workers."""
    from pathlib import Path

    from seatrial.run import workersexport
    from seatrial.run.trialfiles import trial_files

    workersexport.image_of(image)
    trial = trial_files(experiment, target, also or [], Path.cwd())
    write = workersexport.kubernetes if for_ is _For.KUBERNETES else workersexport.compose
    sys.stdout.write(write(trial, workers, image))
