"""All that a report is made from, gathered before anything is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seatrial.model.requestlog import RequestLog
from seatrial.model.result import RunResult


@dataclass(frozen=True, slots=True)
class Dossier:
    """A judged run and its evidence.

    `log` is None when no request log could be read; the report then says so instead of drawing charts.
    `calibration` and `events` come from files (`seatrial calibrate --json`, `journal.jsonl`) and are shown
    as they are.
    """

    result: RunResult
    log: RequestLog | None
    experiment_yaml: str = ""  # as resolved
    hypothesis: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)  # part → version
    machine: Mapping[str, str] = field(default_factory=dict)  # property → value
    revision: str = ""  # of the git repository that the experiment stands in; "": in none
    digests: Mapping[str, str] = field(default_factory=dict)  # evidence file → SHA-256 in hexadecimal
    calibration: Mapping[str, Any] | None = None
    events: tuple[Mapping[str, Any], ...] = ()  # the journal: `event`, `wall` and details
    of_a_run: bool = True  # False: of a request log alone, which somebody else's tool or server wrote
    said: tuple[str, ...] = ()  # what the reader of such a log must know
    generator_doubt: str = ""  # what the judge held against the load generator; "": nothing
