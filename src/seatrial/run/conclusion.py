"""The end of a run: its verdict is decided, written down, sealed and recorded, whatever else fails.

    judge ─► report, JUnit, verdict.json ─► seal ─► run database
      └── each on its own: what fails is missing, and the verdict says so and is not a pass

The same for a run that has just ended and for one whose conductor died and that somebody finishes later.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from seatrial.disk import file_digest
from seatrial.incidents import Reporter
from seatrial.load.launch import SPOOLS
from seatrial.model.experiment import Experiment
from seatrial.model.problems import CannotStore, Unavailable
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import RunResult
from seatrial.model.secrets import shown_in
from seatrial.model.verdict import Verdict
from seatrial.report import Dossier, junit, render_html
from seatrial.report.verdictfile import verdict_document
from seatrial.run.evidence import JOURNAL, Evidence, read_journal
from seatrial.run.judge import doubt_of
from seatrial.run.losses import DEFECTS, Losses
from seatrial.run.openruns import HeldRun
from seatrial.run.origin import origin_of
from seatrial.run.sealing import seal_evidence
from seatrial.run.undone import troubled

_log = logging.getLogger(__name__)

VERDICT = "verdict.json"
_MOST_PASSES = 4  # over the files that hold the verdict, until all say the same


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What a report shows beside the result."""

    log: RequestLog
    experiment_text: str
    experiment: Experiment | None  # None: it could not be read again
    described: Mapping[str, Any]  # plan.json
    stored: bool = False  # all of the log is in the evidence


def write_down(
    judged: RunResult, backdrop: Backdrop, evidence: Evidence, home: Path, losses: Losses
) -> RunResult:
    """Write every file that holds the verdict, and seal them all. Returns the result as those files tell it.

    Evidence that has not taken the verdict is not sealed either: whoever puts it there later does both.
    """
    _keep_defects(evidence, losses)
    judged = replace(shown_in(judged), evidence=losses.result("the list of files", evidence.manifest, {}))
    result = _written(judged, backdrop, evidence, home, losses)
    _keep_defects(evidence, losses)
    if backdrop.stored and VERDICT not in losses:
        _drop_spools(evidence)
    if VERDICT in losses or losses.done("the seal", lambda: seal_evidence(evidence, home)):
        return result
    _keep_defects(evidence, losses)
    return _written(judged, backdrop, evidence, home, losses)


def _drop_spools(evidence: Evidence) -> None:
    """The rows as they came take twice the room of the request log, and say nothing that is not in it."""
    try:
        shutil.rmtree(evidence.path(SPOOLS))
    except FileNotFoundError:
        pass  # no load was started, or somebody was killed before the seal
    except OSError as error:
        _log.warning("%s cannot be taken away: %s", evidence.path(SPOOLS), error.strerror)


def _keep_defects(evidence: Evidence, losses: Losses) -> None:
    if losses.defects:
        losses.done(DEFECTS, lambda: evidence.write_text(DEFECTS, "\n".join(losses.defects)))


def _written(
    judged: RunResult, backdrop: Backdrop, evidence: Evidence, home: Path, losses: Losses
) -> RunResult:
    for _ in range(_MOST_PASSES):
        result = losses.told(judged)
        for name, text in (
            ("report.html", partial(_report, result, backdrop, evidence, home)),
            ("junit.xml", partial(junit, result, backdrop.described.get("revision", ""))),
            (VERDICT, partial(_verdict, result)),
        ):
            losses.done(name, partial(_write, evidence, name, text))
        if losses.told(judged) == result:
            break
    return losses.told(judged)


def _write(evidence: Evidence, name: str, text: Callable[[], str]) -> None:
    evidence.write_text(name, text())


def _verdict(result: RunResult) -> str:
    return json.dumps(verdict_document(result), indent=2, ensure_ascii=False) + "\n"


def _report(result: RunResult, backdrop: Backdrop, evidence: Evidence, home: Path) -> str:
    experiment = backdrop.experiment
    return render_html(
        Dossier(
            result=result,
            log=backdrop.log if len(backdrop.log) else None,
            experiment_yaml=backdrop.experiment_text,
            hypothesis=experiment.hypothesis if experiment else "",
            versions=backdrop.described.get("versions", {}),
            machine=backdrop.described.get("machine", {}),
            revision=backdrop.described.get("revision", ""),
            digests={
                name: file_digest(evidence.path(name))
                for name in sorted(set(result.evidence.values()))
                if evidence.path(name).is_file()
            },
            calibration=_calibration(home),
            events=read_journal(evidence.path(JOURNAL)),
            generator_doubt=_doubt(result, experiment),
        )
    )


def _doubt(result: RunResult, experiment: Experiment | None) -> str:
    measured = result.measurement
    return doubt_of(measured, experiment, result.scenario) if measured and experiment else ""


def hand_over(held: HeldRun, result: RunResult, losses: Losses, reporter: Reporter | None) -> list[str]:
    """Record the result and forget the open run. Returns a sentence for each thing that is not stored yet.

    The open run keeps a verdict that its evidence or the run database did not take.
    """
    pending = []
    if held.run.of_a_search and not result.left_behind:
        reporter = None
    if VERDICT in losses:
        pending.append(f"the verdict of {result.run} is not in its evidence yet")
    if not record(reporter, lambda to: to.finished(result, origin_of(Path(held.run.directory)))):
        pending.append(f"{result.run} is not in the run database yet")
    try:
        if pending:
            held.keep(verdict_document(result))
            pending.append(
                "the next command that runs something makes up for it, and so does: seatrial recover"
            )
        else:
            held.forget()
    except CannotStore as error:
        pending.append(str(error))
    return pending


def record(reporter: Reporter | None, tell: Callable[[Reporter], object]) -> bool:
    """Whether the run database was told. While it is away only the record is missing, never the evidence."""
    if reporter is None:
        return True  # which was said when it was found to be away
    try:
        tell(reporter)
    except Unavailable as error:
        _log.error("the run database was not told: %s", error)
        return False
    return True


def unjudged(result: RunResult) -> RunResult:
    """The result of a run that could not be judged: a fail if something is left behind, else unknown."""
    left = list(troubled(result.steps, told=False))
    verdict = Verdict.merge([Verdict.UNKNOWN, *(verdict for verdict, _ in left)])
    return replace(result, verdict=verdict, reasons=(*(sentence for _, sentence in left), *result.reasons))


def _calibration(home: Path) -> Mapping[str, Any] | None:
    try:
        data = json.loads((home / "calibration.json").read_text())
    except (OSError, ValueError):
        return None  # never calibrated on this machine: the report says so
    return data if isinstance(data, dict) else None
