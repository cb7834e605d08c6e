"""The commands. Nothing else knows the terminal.

One file a family of commands; each imports what it needs when it runs, so that `seatrial --help` is quick.
Results go to stdout (`--json`: one object), everything else to stderr. Exit codes: 0 pass, 1 fail, 2 unknown,
64 bad input, 70 internal error, 130 interrupted.
"""

from seatrial.cli.main import main

__all__ = ["main"]
