"""Entries of the files that people write: each file, and each mapping in it by the keys that lead there.

experiment ─► load ─► load.rate          target ─► roles          schedule ─► cadence ─► cadence.monthly …
           ─► objectives.downtime …
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from seatrial.explain.docstrings import text_of
from seatrial.explain.entry import Entry
from seatrial.explain.parameters import parameters_of, records_in, schema_of
from seatrial.model.experiment import Experiment
from seatrial.model.readiness import Readiness
from seatrial.model.suite import Suite
from seatrial.model.target import Target
from seatrial.model.workerhosts import Machines
from seatrial.schedule.model import Schedule

FILES: Mapping[str, type[BaseModel]] = {
    "experiment": Experiment,
    "target": Target,
    "suite": Suite,
    "schedule": Schedule,
    "readiness": Readiness,
    "machines": Machines,
}
_PROMISES = "objectives."


def entries() -> Iterator[Entry]:
    """Of each file, and of each mapping in it."""
    for kind, record in FILES.items():
        schema, sections = schema_of(record), _sections(record)
        called = {each.__name__: f"mapping, see {name}" for each, name in sections.items()}
        yield Entry(kind, kind, text_of(record), parameters=parameters_of(record, schema, called))
        for section, name in sections.items():
            inside = parameters_of(section, schema["$defs"][section.__name__], called)
            of = "objective" if name.startswith(_PROMISES) else kind
            yield Entry(of, name, text_of(section), parameters=inside)


def _sections(record: type[BaseModel], under: str = "") -> dict[type[BaseModel], str]:
    """Every record that may stand in a file, and the keys that lead to it; where several do, the first."""
    found: dict[type[BaseModel], str] = {}
    for name, field in record.model_fields.items():
        for inner in records_in(field.annotation):
            path = found.setdefault(inner, f"{under}{field.alias or name}")
            found = _sections(inner, f"{path}.") | found
    return found
