"""What an engine is: policies and data in, and for each document what the rules say of it.

Both evaluate strictly: a built-in function that fails, such as `to_number("x")`, is an error that is told,
where conftest takes the rule for one that does not apply.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from seatrial.model.problems import BadInput, Unavailable
from seatrial.policy.ruleset import Ruleset

LIMIT_S = 10.0
"""How long the rules may take over one document, where nothing else is said."""

MOST_STOPPED = 3
"""How many documents may have to be stopped before no other is tried."""


@dataclass(frozen=True, slots=True)
class Document:
    """One input. `text`: as JSON. `name` and `directory` of its file, for policies that ask."""

    text: str
    name: str = ""
    directory: str = ""


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """Why an engine has no answer for a document; the place is in the policy.

    lasting: whether it will be so again; not where it was stopped, by a limit or by what this machine lacked.
    """

    why: str
    lasting: bool = True


def not_done(limit_s: float) -> str:
    """What a rule has done that took longer."""
    return f"was not done after {limit_s:g} s and was stopped"


def not_tried(last: str) -> NotEvaluated:
    """After as many documents as may have to be stopped. last: why the last of them was."""
    why = f"not tried, after {MOST_STOPPED} documents that were stopped: {last}"
    return NotEvaluated(why, lasting=False)


class Evaluator(Protocol):
    """Policies that are loaded, and stay so."""

    def answers(self, documents: Sequence[Document]) -> list[Any]:
        """For each document what `convention.gate_module` finds, or NotEvaluated."""


class Engine(Protocol):
    """How policies are loaded. It can be sent to another process. `identity`: name and version."""

    @property
    def identity(self) -> str:
        """`opa 1.20.2`."""

    def load(self, ruleset: Ruleset) -> Evaluator:
        """Load policies and data. Raises BadInput, Unavailable."""


def files_of(ruleset: Ruleset, package: str, rule: str) -> str:
    """The policy files that a rule stands in."""
    return ", ".join(
        each.name for each in ruleset.sources if each.module.package == package and rule in each.module.rules
    )


def engine_named(name: str, limit_s: float = LIMIT_S) -> Engine:
    """The engine of a name; `auto` is `opa` where the program is on PATH.

    limit_s: how long the rules may take over one document. Raises BadInput, Unavailable.
    """
    from seatrial.policy.engines.opa import Opa  # noqa: PLC0415  # they know this module
    from seatrial.policy.engines.regorus import Regorus  # noqa: PLC0415

    program = shutil.which("opa")
    if name == "regorus" or (name == "auto" and not program):
        return Regorus(limit_s)
    if name not in ("auto", "opa"):
        raise BadInput(f"--engine {name}: not one of auto, opa, regorus")
    if not program:
        raise Unavailable("--engine opa: there is no opa on PATH; without --engine, regorus evaluates")
    return replace(Opa.found(program), limit_s=limit_s)
