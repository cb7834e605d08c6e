"""`python -m seatrial.testbed stop blue`: do something to a part. Returns when it is done."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from seatrial.model.problems import SeatrialError
from seatrial.testbed import control
from seatrial.testbed.places import Places

OPERATIONS = {
    "start": "start it and wait until it is ready",
    "stop": "end it as an operator would",
    "restart": "stop, then start",
    "kill": "end all its processes at once, as the loss of its machine would",
    "pause": "stop all its processes without ending them",
    "resume": "let a paused part go on",
}


def main(arguments: list[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m seatrial.testbed", description=__doc__)
    parser.add_argument(
        "--home", type=Path, help="of the testbed (default: $SEATRIAL_HOME or the user's state directory)"
    )
    parser.add_argument(
        "operation", choices=OPERATIONS, help="; ".join(f"{k}: {v}" for k, v in OPERATIONS.items())
    )
    parser.add_argument(
        "part", help="blue, green, edge, cache, db-proxy, db-1, db-2, witness, or east.blue …"
    )
    chosen = parser.parse_args(arguments)
    try:
        print(control.ask(Places.of_home(chosen.home), chosen.operation, chosen.part))  # noqa: T201  # its output
    except SeatrialError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
