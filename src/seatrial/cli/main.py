"""The entry point: one application, and one place where errors become exit codes."""

from __future__ import annotations

import functools
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from seatrial import disk
from seatrial.cli import (
    beginning,
    calendar,
    calibrating,
    capacity,
    comparing,
    cost,
    explaining,
    exploring,
    incidents,
    keys,
    ledger,
    machine,
    matrix,
    measuring,
    policy,
    reporting,
    running,
    serving,
    testbed,
    workers,
)
from seatrial.cli.interruption import listening
from seatrial.cli.streams import open_streams, unsaid
from seatrial.cli.terminal import complain, say, screened_streams
from seatrial.model.problems import BadInput, Interrupted, SeatrialError, Unavailable

# Typer carries its own copy of Click, and only some of Click's errors are public there; this is their base.
_UsageError: type[Exception] = next(
    base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException"
)

app = typer.Typer(
    name="seatrial",
    help="Take a service to sea before GA: open-model load, chaos, and measured downtime with error bounds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
running.register(app)
measuring.register(app)
reporting.register(app)
comparing.register(app)
capacity.register(app)
testbed.register(app)
calibrating.register(app)
exploring.register(app)
calendar.register(app)
incidents.register(app)
cost.register(app)
ledger.register(app)
matrix.register(app)
keys.register(app)
policy.register(app)
workers.register(app)
serving.register(app)
machine.register(app)
explaining.register(app)
beginning.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        from seatrial import __version__

        typer.echo(f"seatrial {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options that stand before a command."""


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    open_streams()
    with screened_streams(), listening():
        sys.exit(_run())


def _run() -> int:
    try:
        return _delivered(_invoked(sys.argv[1:]))
    except (KeyboardInterrupt, Interrupted, typer.Abort):
        say("interrupted")
        return Interrupted.exit_code
    except SeatrialError as error:
        complain(error)
        return error.exit_code
    except _UsageError as error:
        if message := _message(error):  # without one, a command that was given nothing has shown its help
            complain(BadInput(f"{message} (see: {_command_of(error)} --help)"))
        return BadInput.exit_code
    except Exception as error:
        return _untranslated(error)


def _invoked(arguments: list[str]) -> int | None:
    """Run the command; what it returns.

    Not by `app()`: it takes every broken pipe, even one to a process of ours, for a reader who has left, and
    exits with 1, which would mean a broken promise.
    """
    command = _command()
    try:
        with command.make_context("seatrial", arguments) as context:
            found = command.invoke(context)
    except typer.Exit as end:
        return int(end.exit_code)
    return found if isinstance(found, int) else None


@functools.cache
def _command() -> Any:
    """All commands, which takes a tenth of a second."""
    return typer.main.get_command(app)


def _delivered(found: int | None) -> int:
    """The exit code: what the command found, or, if it only had to print, whether all was printed."""
    if reason := unsaid():
        missing = Unavailable(f"standard output: {reason}; what was asked for is not all there")
        complain(missing)
        return missing.exit_code if found is None else found
    return found or 0


def _untranslated(error: Exception) -> int:
    """The exit code for an error that nothing has translated: trouble of the machine, or a defect of ours."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in disk.TROUBLES):
        complain(disk.cannot_store("what this command works with", Path.cwd(), error))
        return Unavailable.exit_code
    traceback.print_exc()
    say("this is a defect of seatrial, not of what you asked for; please report the lines above")
    return SeatrialError.exit_code


def _message(error: Exception) -> str:
    """Click's message, which names the parameter that it is about."""
    told = getattr(error, "format_message", error.__str__)
    return str(told()).rstrip(".")


def _command_of(error: BaseException) -> str:
    context = getattr(error, "ctx", None)
    return str(context.command_path) if context else "seatrial"
