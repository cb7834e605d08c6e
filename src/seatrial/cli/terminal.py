"""The two streams, and how a command says what came of it."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from rich.console import Console

from seatrial.model.problems import BadInput, SeatrialError

err = Console(stderr=True, highlight=False)
out = Console(highlight=False)


def say(text: str) -> None:
    """A line for people, on stderr."""
    err.print(text, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON object on stdout."""
    from seatrial.model.result import plain

    text = json.dumps(plain(value), indent=2, ensure_ascii=not _speaks_unicode(), default=os.fspath)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _speaks_unicode() -> bool:
    return sys.stdout.encoding.lower().startswith("utf")


def complain(error: SeatrialError) -> None:
    """What is wrong, one line a problem, with its place first."""
    lines = [str(problem) for problem in error.problems] if isinstance(error, BadInput) else [str(error)]
    for line in lines:
        err.print("[bold red]error[/] ", end="")
        say(line)
