"""regorus, Microsoft's engine in Rust, in this process.

Chosen over regopy (rego-cpp), which was tried first: on strings with escapes regopy 1.5.2 compares, counts
and matches another text than OPA does, it wraps integers beyond 64 bits, and `with` in a bundle aborts the
process. regorus answered as OPA 1.20.2 does, but for the spelling of extreme numbers in messages, `count` of
text beyond the basic plane, and what OPA takes for undefined: iterating over text, say, is an error here. An
error is told and never a pass.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import regorus

from seatrial.model.problems import BadInput
from seatrial.policy.convention import GATE, gate_module
from seatrial.policy.engines.engine import Document, NotEvaluated
from seatrial.policy.module import problem_of
from seatrial.policy.ruleset import Ruleset

_PACKAGE = "gordon-to-regorus"  # how regorus is published for Python


@dataclass(frozen=True, slots=True)
class Regorus:
    """The library."""

    @property
    def identity(self) -> str:
        """Its name and version."""
        return f"regorus {importlib.metadata.version(_PACKAGE)}"

    def load(self, ruleset: Ruleset) -> RegorusEvaluator:
        """Load policies and data. Raises BadInput."""
        engine = regorus.Engine()
        name = ""
        try:
            for source in ruleset.sources:
                name = source.name
                engine.add_policy(source.name, source.text)
            engine.add_policy(f"{GATE}.rego", gate_module(ruleset.rules))
            engine.add_data_json(json.dumps(ruleset.data))
        except RuntimeError as error:
            raise BadInput(problem_of(error, name)) from error
        return RegorusEvaluator(engine, asks_for_the_file=ruleset.asks_for_the_file)


@dataclass(frozen=True, slots=True)
class RegorusEvaluator:
    """An engine with everything in it but the input."""

    engine: Any
    asks_for_the_file: bool

    def answers(self, documents: Sequence[Document]) -> list[Any]:
        """As `Evaluator.answers`."""
        return [self._answer(each) for each in documents]

    def _answer(self, document: Document) -> Any:
        engine = self.engine
        try:
            if self.asks_for_the_file:
                file = {"name": document.name, "dir": document.directory}
                engine = engine.clone()
                engine.add_data_json(json.dumps({"conftest": {"file": file}}))
            engine.set_input_json(document.text)
            return json.loads(engine.eval_rule_as_json(f"data.{GATE}.found"))
        except RuntimeError as error:
            return NotEvaluated(str(problem_of(error, "policy")))
        except BaseException as error:  # a panic of Rust is neither an Exception nor to be passed on
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            return NotEvaluated(f"regorus gave up: {error}")
