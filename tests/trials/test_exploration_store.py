"""What was tried on a target is there for whoever goes on, whatever its reasons quote."""

from __future__ import annotations

from pathlib import Path

from seatrial.explore.record import Outcome, Purpose, Trial
from seatrial.explore.schedule import Injection
from seatrial.model.verdict import Verdict
from seatrial.trials.exploration_store import held, place_of, read_record

SLOT_S = 0.1


def test_line_ends_that_only_unicode_knows_tear_no_line(tmp_path: Path) -> None:
    reasons = ("the service said: \u2028a\u2029b\x85c\x0bd",)
    outcome = Outcome(Verdict.FAIL, frozenset({"errors"}), reasons, "runs/1")
    trial = Trial((Injection(0, "process.kill on app", 8),), Purpose.SEARCH, outcome)
    with held(tmp_path, "shop", SLOT_S) as store:
        store.keep(trial)
    assert read_record(place_of(tmp_path, "shop"), SLOT_S).trials == [trial]
