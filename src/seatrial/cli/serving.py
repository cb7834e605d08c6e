"""`seatrial serve`: the dashboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import say
from seatrial.cli.terms import place_of
from seatrial.model.problems import BadInput


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command(
        epilog=examples(
            "seatrial serve",
            "seatrial serve --schedule schedules/monthly.yaml --token-file token",
            "seatrial serve --address 0.0.0.0:9470 --token-file token --name ready.example.org",
        )
    )(serve)


def serve(
    address: Annotated[
        str,
        typer.Option("--address", metavar="HOST:PORT", help="Where to listen; port 0: any that is free."),
    ] = "127.0.0.1:9470",
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            metavar="FILE",
            parser=place_of,
            help="Whoever has its token may run, stop, retry and sign; without, all is only read.",
        ),
    ] = None,
    file: Annotated[
        str, typer.Option("--file", metavar="FILE", help="The readiness file.")
    ] = "chaos/readiness.yaml",
    schedule: Annotated[
        list[Path] | None,
        typer.Option(
            "--schedule", metavar="FILE", parser=place_of, help="A schedule; by default those in schedules/."
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="HOST", help="A name that it is called by, as of a proxy."),
    ] = None,
) -> None:
    """Show matrix, runs, months, schedules, incidents and runs under way in a browser, and as JSON (/api)."""
    from seatrial.extras import WEB
    from seatrial.home import seatrial_home
    from seatrial.store import Store

    WEB.require("seatrial serve")
    from seatrial.report.course import prepare
    from seatrial.web.app import Dashboard
    from seatrial.web.entrance import Entrance, read_token
    from seatrial.web.serving import Address, bind, run, schedules_here
    from seatrial.web.sources import Sources

    place = Address.parse(address)
    if not place.is_loopback and token_file is None:
        raise BadInput(f"--address {address}: others can reach it; say with --token-file who may look")
    entrance = Entrance(read_token(token_file) if token_file else "")
    with Store.default() as store, bind(place) as listening:
        sources = Sources(store, seatrial_home(), file, tuple(schedule or schedules_here(Path())))
        dashboard = Dashboard(sources, entrance, private=not place.is_loopback, names=tuple(name or ()))
        _tell(place.url(listening.getsockname()[1]), private=dashboard.private, acting=entrance.is_open)
        run(dashboard.app(), listening, prepare)


def _tell(url: str, *, private: bool, acting: bool) -> None:
    say(f"the dashboard is at {url}")
    if private:
        say(
            "it is only shown to who has the token, and speaks plain HTTP: put a proxy with TLS before it"
            " (`caddy reverse-proxy --from HOST --to 127.0.0.1:9470`), name its host with --name, and have it"
            " listen on the loopback or let nobody else reach the port"
        )
    elif acting:
        say("everybody on this machine can read it; to act, sign in with the token")
    else:
        say("everybody on this machine can read it, and nobody can act: that needs --token-file")
