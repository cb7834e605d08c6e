"""`seatrial init`: the files of a first trial of a service of one's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import say, suggest
from seatrial.cli.terms import place_of
from seatrial.model.problems import BadInput

if TYPE_CHECKING:
    from seatrial.scaffold import Service
    from seatrial.scaffold.described import Description


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command(
        "init",
        epilog=examples(
            "seatrial init --host http://127.0.0.1:9000",
            "seatrial init service --openapi openapi.json",
            "seatrial init --host https://shop.staging.example --locustfile locustfile.py",
        ),
    )(begin)


def begin(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", parser=place_of, help="Where; by default here.")
    ] = Path(),
    host: Annotated[str, typer.Option(metavar="URL", help="Where your service is; it is asked, once.")] = "",
    openapi: Annotated[
        Path | None,
        typer.Option(metavar="FILE", parser=place_of, help="An OpenAPI file: its safe operations are tasks."),
    ] = None,
    locustfile: Annotated[
        Path | None,
        typer.Option(metavar="FILE", parser=place_of, help="A locustfile of yours, in place of a new one."),
    ] = None,
) -> None:
    """Write target, scenario, two experiments, schedule, readiness file and CI job for your service.

    Nothing is asked, and nothing is written over.
    """
    from seatrial.scaffold import files_of, service_of, write

    if openapi and locustfile:
        raise BadInput("--openapi and --locustfile both say what users do; give one of them")
    service = service_of(
        host,
        _described(openapi) if openapi else None,
        _as_scenario(locustfile, directory) if locustfile else "",
    )
    texts = files_of(service)
    write(texts, directory)
    for path in texts:
        say(f"written: {directory / path}")
    _tell(service, directory)


def _described(openapi: Path) -> Description:
    from seatrial.extras import OPENAPI

    OPENAPI.require("--openapi")
    from seatrial.scaffold.openapi import read

    return read(openapi)


def _as_scenario(locustfile: Path, directory: Path) -> str:
    """A locustfile's path from where the experiments will stand. Raises BadInput when it is not there."""
    from seatrial.run.scenario import require_scenario

    if not locustfile.is_file():
        raise BadInput(f"--locustfile {locustfile}: no such file")
    require_scenario(locustfile)
    return os.path.relpath(locustfile.resolve(), (directory / "chaos").resolve())


def _tell(service: Service, directory: Path) -> None:
    """What was found out, and what comes next."""
    if service.answers is False:
        say(f"\n{service.base_url} does not answer yet: `ready` in chaos/target.yaml is a guess")
    elif service.answers is None:
        say("\nwhere your service is stands in chaos/target.yaml: base_url, allow, ready")
    for left_out in service.left_out:
        say(f"left out: GET {left_out}")
    enter = {f"cd {directory}": "paths count from there"} if directory.resolve() != Path.cwd() else {}
    token = {"export API_TOKEN=…": "who asks: the scenario says it"} if service.token_header else {}
    on = "--target chaos/target.yaml"
    suggest(
        "in this order",
        enter
        | token
        | {
            f"seatrial run chaos/load.yaml {on} --dry-run": "what would be done, and to whom",
            f"seatrial run chaos/load.yaml {on}": "measure it",
            f"seatrial run chaos/deploy.yaml {on}": "once chaos/deploy.sh is yours",
            "seatrial explain": "all that can be written",
        },
    )
