"""The OpenSLO file that an experiment names as its promise, read before a run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from seatrial.files import Source, find, missing, read_text
from seatrial.model.document import Document, parse
from seatrial.model.errorbudget import THREE_NINES, Allowance
from seatrial.model.experiment import Experiment, Objectives
from seatrial.model.openslo import Slo, slo_of
from seatrial.model.problems import BadInput, Problems
from seatrial.run.draft import Draft

_KEY = ("objectives", "openslo")
_WORD = ".".join(_KEY)  # that `seatrial explain` tells more by


@dataclass(frozen=True, slots=True)
class SloFile:
    """A file as it was read: its digest tells it from every later one."""

    file: str  # as the experiment calls it
    sha256: str
    text: str
    slo: Slo

    @property
    def allowance(self) -> Allowance:
        """The budget that the run is held against: the file's own, where it has one."""
        return self.slo.allowance or THREE_NINES

    def promised(self, experiment: Experiment) -> Experiment:
        """The experiment with what the file promises among its objectives."""
        found = {"errors": self.slo.errors, "latency": self.slo.latency}
        objectives = experiment.objectives.model_copy(update={key: one for key, one in found.items() if one})
        return experiment.model_copy(update={"objectives": objectives})


def bind_slo(draft: Draft, experiment: Source, problems: Problems) -> SloFile | None:
    """The file that is named; None without one. What is wrong goes to `problems`, at its place there."""
    named = draft.objectives.openslo
    if named is None:
        return None
    path = find(named, experiment.path)
    if path is None:
        problems.add(experiment.document.problem(_KEY, missing(named, experiment.path)).about(_WORD))
        return None
    try:
        text = read_text(path, named)
        slo = slo_of(parse(text, named))
    except BadInput as error:
        problems.add(*(replace(each, word=_WORD) for each in error.problems))
        return None
    _require_apart(draft.objectives, slo, named, experiment.document, problems)
    return SloFile(named, hashlib.sha256(path.read_bytes()).hexdigest(), text, slo)


def _require_apart(own: Objectives, slo: Slo, named: str, document: Document, problems: Problems) -> None:
    """Note what both promise: nobody could tell which of them is meant."""
    for key in ("errors", "latency"):
        if getattr(own, key) and getattr(slo, key):
            told = document.problem(("objectives", key), f"{named} promises the same; keep one", key=True)
            problems.add(told.about(_WORD))
