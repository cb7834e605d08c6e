"""The result of a run that has ended, from its evidence; one whose conductor was killed is finished first."""

from __future__ import annotations

from pathlib import Path

from seatrial.model.problems import BadInput
from seatrial.model.result import RunResult
from seatrial.report.verdictfile import read_verdict
from seatrial.trials.caller import Caller


def result_of(run: Path, caller: Caller) -> RunResult:
    """The result of the run whose evidence is in `run`. Raises BadInput if none is, or it still goes on."""
    if not (run / "experiment.yaml").exists() or (run / "verdict.json").exists():
        return recorded_result(run)
    from seatrial.run.unfinished import finish_at  # noqa: PLC0415  # whoever only reads need not load it
    from seatrial.trials.recovery import recording  # noqa: PLC0415
    from seatrial.trials.targets import home  # noqa: PLC0415

    return finish_at(run, home(), lambda: recording(caller))


def recorded_result(run: Path) -> RunResult:
    """What a `verdict.json` tells; `run` is that file or the directory that holds it. Raises BadInput."""
    path = run / "verdict.json" if run.is_dir() else run
    try:
        return read_verdict(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {error}; a run is the directory that `seatrial run` named") from error
