"""One policy file: its package, its rules and its problems, as the parser of regorus tells them.

Rego v0 (`deny[msg] { … }`) is refused with its place: `if` and `contains` are required, as since OPA 1.0.
`import rego.v1` may stand there and changes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from seatrial.model.problems import BadInput, Location, Problem

_TOLD = re.compile(
    r"-->\s(?P<file>.*):(?P<line>\d+):(?P<column>\d+)\n.*?\n(?:error|warning): (?P<why>[^\n]*)", re.DOTALL
)
_V0 = "keyword is required before"
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Module:
    """`package`: its reference, `data.main`. `rules`: the names of its rules, each once, in order.

    path: the steps of that reference below `data`.
    """

    package: str
    rules: tuple[str, ...]
    path: tuple[str, ...]


def parsed(name: str, text: str) -> Module:
    """Parse one file. Raises BadInput with its place."""
    engine = import_module("regorus").Engine()  # which an extra brings; help is there without
    try:
        engine.add_policy(name, text)
        tree = json.loads(engine.get_ast_as_json())[0]["ast"]
    except RuntimeError as error:
        raise BadInput(problem_of(error, name)) from error
    rules = dict.fromkeys(filter(None, map(_name_of, tree["rules"])))
    package = tree["package"]["refr"]
    return Module(_reference(package), tuple(rules), tuple(_steps(package)))


def problem_of(error: Exception, name: str) -> Problem:
    """What regorus complains of, with its place. `name`: of the file, where it tells none."""
    told = str(error).partition("\nStack backtrace")[0].strip()
    found = _TOLD.search(told)
    if found is None:
        return Problem(told.splitlines()[-1] if told else type(error).__name__, Location(name))
    why = found["why"]
    if _V0 in why:
        why += "; Rego v0 is not read (opa fmt --v0-v1 --write FILE rewrites it)"
    return Problem(why, Location(found["file"], int(found["line"]), int(found["column"])))


def _name_of(rule: dict[str, Any]) -> str:
    """The first name of a rule's head, which is what conftest goes by."""
    (kind, inside), *_ = rule.items()
    head = inside["refr"] if kind == "Default" else next(iter(inside["head"].values()))["refr"]
    return str(next(_steps(head)))


def _reference(tree: dict[str, Any]) -> str:
    """`data.a["b-c"]` of a package's tree."""
    return "data" + "".join(
        f".{step}" if _PLAIN_KEY.fullmatch(step) else f"[{json.dumps(step)}]" for step in _steps(tree)
    )


def _steps(tree: dict[str, Any]) -> Iterator[str]:
    (kind, inside), *_ = tree.items()
    if kind == "Var":
        yield str(inside["value"])
        return
    yield from _steps(inside["refr"])
    if kind == "RefDot":
        yield str(inside["field"][1])
    elif "String" in inside["index"]:
        yield str(inside["index"]["String"]["value"])
