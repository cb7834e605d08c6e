"""What can be read of an experiment that may have mistakes: each part by itself.

An experiment is one record, and one wrong value is enough for there to be none. Whoever looks for all that is
wrong goes on with the parts: a step with a mistake is left out, and the others are still looked up and bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from seatrial.model.document import Document
from seatrial.model.experiment import Check, Guard, Objectives, Step
from seatrial.model.load import Load
from seatrial.model.probe import ProbeSpec
from seatrial.model.quantities import Duration, Lasting

Part = TypeVar("Part", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Draft:
    """The parts of an experiment that can be read; all of them if it has no mistake."""

    load: Load | None
    duration: Duration | None
    timeline: tuple[tuple[int, Step], ...]
    steady_state: tuple[tuple[int, ProbeSpec], ...]
    guards: tuple[tuple[int, Guard], ...]
    objectives: Objectives
    checks: tuple[tuple[int, Check], ...]
    unread: bool  # whether a step of the timeline is left out: then nobody knows which steps there are

    @classmethod
    def of(cls, document: Document) -> Draft:
        """Whatever `document` holds of an experiment. Its mistakes are told by `document.build`."""
        data = document.data if isinstance(document.data, dict) else {}
        written = data.get("timeline", [])
        timeline = _parts(written, Step)
        return cls(
            load=_part(data.get("load"), Load),
            duration=_part(data.get("duration"), Lasting),
            timeline=timeline,
            steady_state=_parts(data.get("steady_state"), ProbeSpec),
            guards=_parts(data.get("guards"), Guard),
            objectives=_part(data.get("objectives"), Objectives) or Objectives(),
            checks=_parts(data.get("checks"), Check),
            unread=not isinstance(written, list) or len(timeline) < len(written),
        )


def _part(value: Any, kind: type[Any]) -> Any:
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return None


def _parts(values: Any, record: type[Part]) -> tuple[tuple[int, Part], ...]:
    found = []
    for index, value in enumerate(values if isinstance(values, list) else []):
        try:
            found.append((index, record.model_validate(value)))
        except ValidationError:
            continue
    return tuple(found)
