"""The two streams, and how a command says what came of it. No secret goes through: see `screened_streams`."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TextIO, cast

from rich.console import Console, RenderableType

from seatrial.model.problems import BadInput, SeatrialError
from seatrial.model.secrets import ScreenedStream, shown, shown_in

err = Console(stderr=True, highlight=False)
out = Console(highlight=False)


@contextlib.contextmanager
def screened_streams() -> Iterator[None]:
    """Screens everything that is printed in the block for secrets, by us, by a library or as a traceback."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", ScreenedStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def say(text: str) -> None:
    """A line for people, on stderr."""
    err.print(shown(text), markup=False, soft_wrap=True)


def suggest(when: str, commands: Mapping[str, str]) -> None:
    """Say what to do next: commands, each with what it is for."""
    width = max(map(len, commands))
    say(f"\nnext, {when}:")
    for command, what in commands.items():
        say(f"  {command:<{width}}   # {what}")


def print_text(text: RenderableType) -> None:
    """Something to read, on stdout: as wide as the terminal, nothing cut off, and no blanks at the ends."""
    with out.capture() as captured:
        out.print(text, crop=False)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def print_json(value: Any) -> None:
    """One JSON object on stdout."""
    from seatrial.model.result import plain

    told = shown_in(plain(value))
    text = json.dumps(told, indent=2, ensure_ascii=not _speaks_unicode(), default=os.fspath)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _speaks_unicode() -> bool:
    return sys.stdout.encoding.lower().startswith("utf")


def complain(error: SeatrialError) -> None:
    """What is wrong, one line a problem, with its place first, and at the end where more is told of it."""
    for each in error.problems if isinstance(error, BadInput) else (error,):
        more = f" (seatrial explain {shlex.quote(each.explained_by)})" if each.explained_by else ""
        err.print("[bold red]error[/] ", end="")
        say(f"{each}{more}")
