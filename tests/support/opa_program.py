"""OPA itself behind the interface of its program, where only the library can be had.

The PyPI package opa-golib-python-bindings carries OPA's own engine in Go. This stands in for `opa eval` and
`opa version` in front of it, with the output that OPA's sources document (`internal/presentation`): what a
policy means is OPA's word, only the command line is ours. Without the package or the program nothing of this
is tried.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

_ERROR = re.compile(
    r"(?P<file>[^:\s]+\.rego):(?P<row>\d+)(?::(?P<col>\d+))?: (?P<code>rego_\w+|eval_\w+): (?P<why>.*)",
    re.DOTALL,
)


def program(place: Path) -> str:
    """An `opa` that can be run: the real one, else the stand-in, written to `place`; "" when there is neither."""
    if found := shutil.which("opa"):
        return found
    spec = importlib.util.find_spec("opa_bindings")
    if spec is None or spec.origin is None:
        return ""
    bindings = Path(spec.origin).parents[1]
    file = place / "opa"
    file.write_text(f'#!/bin/sh\nPYTHONPATH={bindings} exec {sys.executable} {__file__} "$@"\n')
    file.chmod(0o755)
    return str(file)


def _main(arguments: list[str]) -> int:
    from opa_bindings import OpaEngine, OpaError

    if arguments == ["version"]:
        print("Version: 1.20.2\nBuild Commit: of the library")  # noqa: T201  # its output
        return 0
    command, place, query = arguments[:5], Path(arguments[5]), arguments[7]
    assert command == ["eval", "--format", "json", "--strict-builtin-errors", "--data"], arguments
    assert arguments[6] == "--stdin-input"
    engine = OpaEngine()
    try:
        for file in sorted(place.glob("*.rego")):
            engine.add_policy(str(file), file.read_text())
        engine.add_data(json.loads((place / "data.json").read_text()))
        (found,) = engine.eval_query(f"x := {query}", json.load(sys.stdin))
    except OpaError as error:
        print(json.dumps({"errors": [_told(line) for line in _errors(error.message)]}))  # noqa: T201  # its output
        return 2
    print(json.dumps({"result": [{"expressions": [{"value": found["x"], "text": query}]}]}))  # noqa: T201  # its output
    return 0


def _errors(message: str) -> list[str]:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return [line for line in lines if _ERROR.search(line)] or [message]


def _told(line: str) -> dict[str, Any]:
    found = _ERROR.search(line)
    if found is None:
        return {"message": line, "code": "unknown"}
    place = {"file": found["file"], "row": int(found["row"]), "col": int(found["col"] or 1)}
    return {"message": found["why"], "code": found["code"], "location": place}


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
