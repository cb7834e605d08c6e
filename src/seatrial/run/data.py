"""The data of a load, read before a run: it is there, is a CSV file, and has rows enough."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.files import Source, find, missing
from seatrial.load.dataset import DataFile, DataSet, too_few
from seatrial.load.offer import Offer
from seatrial.model.arrivals import RateStep
from seatrial.model.document import Document
from seatrial.model.experiment import Experiment
from seatrial.model.problems import BadInput, Problems
from seatrial.model.secrets import remember_rows
from seatrial.run.draft import Draft

_PLACE = ("load", "data")


def bind_data(draft: Draft, experiment: Source, problems: Problems) -> DataFile | None:
    """The file whose rows are fed to arrivals; None without one. What is wrong with it goes to `problems`.

    A mistake in the file is told with its line there, at the place in the experiment that names it.
    """
    data = draft.load.data if draft.load else None
    if data is None:
        return None
    document = experiment.document
    named = (*_PLACE, "file") if document.has((*_PLACE, "file")) else _PLACE
    path = find(data.file, experiment.path)
    if path is None:
        problems.add(document.problem(named, missing(data.file, experiment.path)))
        return None
    try:
        rows = DataSet.read(path, data.file, data.secret)
    except BadInput as error:
        problems.add(*(document.problem(named, str(each)) for each in error.problems))
        return None
    if rows.secrets is not None:
        remember_rows(str(path), rows.secrets)
    return DataFile(path, data.order, rows.sha256, len(rows), rows.columns, data.secret)


def require_enough(
    data: DataFile | None,
    experiment: Experiment,
    shape: Sequence[RateStep],
    document: Document,
    problems: Problems,
) -> None:
    """Note that rows to be given once cannot do for the arrivals of the whole load, changes included."""
    if data is None:
        return
    load = experiment.load
    offer = Offer(
        tuple(shape),
        load.arrivals,
        load.seed,
        experiment.warmup.seconds,
        experiment.duration.seconds,
        load.counts,
    )
    if wrong := too_few(offer, data.rows, data.order):
        problems.add(document.problem((*_PLACE, "order"), wrong))
