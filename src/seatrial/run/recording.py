"""What checks have to be told is asked for, and what was answered is kept in the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from seatrial import columnar
from seatrial.checks.protocol import Need, Recorded, When
from seatrial.lookups.recorder import RunFacts
from seatrial.lookups.recording import recorded
from seatrial.model.requestlog import RequestLog
from seatrial.model.writekeys import WriteKeys
from seatrial.run.evidence import Evidence
from seatrial.run.losses import Losses
from seatrial.run.needs import BoundNeed

Answers = Mapping[Need[Any], Recorded[Any]]


def ask(needs: Iterable[BoundNeed], when: When, evidence: Evidence, log: RequestLog) -> Answers:
    """Ask for whatever is needed at this time; `log`: the requests so far."""
    due = [bound for bound in needs if bound.need.when is when]
    keys = WriteKeys(log.keys).each_once() if due and log.keys is not None else ()
    return {
        bound.need: recorded(bound.recorder, bound.role, RunFacts(keys, evidence.path(_name(bound))))
        for bound in due
    }


def keep(needs: Iterable[BoundNeed], answers: Answers, evidence: Evidence, losses: Losses) -> None:
    """Write down what was answered, each in a file of its own."""
    for bound in needs:
        answer = answers.get(bound.need)
        if answer is not None and answer.data is not None:
            losses.done(_name(bound), partial(_keep, bound, answer.data, evidence))


def _keep(bound: BoundNeed, data: Any, evidence: Evidence) -> None:
    kept = bound.recorder.evidence(data)
    if isinstance(kept, str):
        evidence.write_text(f"{_name(bound)}.json", kept)
        return
    with evidence.create_file(f"{_name(bound)}.parquet") as file:
        columnar.write(columnar.texts_table(kept if isinstance(kept, Iterator) else iter([kept])), file)


def _name(bound: BoundNeed) -> str:
    """How its files in the evidence are called: `stored-writes`, `recorded-audit`."""
    before = "-before" if bound.need.when is When.BEFORE else ""
    return f"{bound.recorder.kept_as}-{bound.role.name}{before}"
