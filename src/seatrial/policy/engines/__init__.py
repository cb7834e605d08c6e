"""Who evaluates Rego: the library regorus, or the program `opa`. Both answer to the same module alike."""

from seatrial.policy.engines.engine import LIMIT_S, Document, Engine, Evaluator, NotEvaluated, engine_named

__all__ = ["LIMIT_S", "Document", "Engine", "Evaluator", "NotEvaluated", "engine_named"]
