"""Whether seatrial takes a file as far as it can be read alone: without its scenario, its target, its roles."""

from __future__ import annotations

from seatrial.checks import registry as checks
from seatrial.drivers import problems_in
from seatrial.explain.formats import FILES
from seatrial.model.document import Document, build
from seatrial.model.experiment import Experiment
from seatrial.model.problems import BadInput
from seatrial.model.target import Target
from seatrial.probes.asking import kind_of
from seatrial.undo import registry
from seatrial.undo.protocol import Kind


def is_taken(kind: str, document: Document) -> bool:
    """Whether the record can be built, and all that is named in it with its parameters."""
    try:
        record = build(FILES[kind], document)
        if isinstance(record, Experiment):
            _look_up(record)
    except BadInput:
        return False
    bindings = record.roles.values() if isinstance(record, Target) else ()
    return not any(problems_in(each.driver, each.parameters) for each in bindings if not each.lacking)


def _look_up(experiment: Experiment) -> None:
    for step in experiment.timeline:
        kind: Kind = "action" if step.fault is None else "fault"
        registry.require_kind(step.does, kind)
        registry.build(step.does, step.with_, kind)
    for check in experiment.checks:
        checks.build(check.check, check.with_)
    for probe in (*experiment.steady_state, *(guard.probe for guard in experiment.guards if guard.probe)):
        kind_of(probe)
