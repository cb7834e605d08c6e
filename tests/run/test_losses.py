"""What fails is noted and takes nothing with it; what is missing is never a pass."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
from tests.support.results import result

from seatrial.model.problems import Unavailable
from seatrial.model.verdict import Verdict
from seatrial.run.losses import Losses


def failing(error: Exception) -> NoReturn:
    raise error


@pytest.mark.parametrize(
    ("error", "reason", "defects"),
    [
        (Unavailable("the key is away"), "the key is away", 0),
        (OSError(28, "No space left on device"), "No space left on device", 0),
        (MemoryError(), "Cannot allocate memory", 0),
        (KeyError("nope"), "seatrial itself failed: KeyError: 'nope' (see defect.txt)", 1),
        (OSError(9, "Bad file descriptor"), "seatrial itself failed: OSError", 1),
    ],
)
def test_a_step_that_fails_has_its_reason(
    tmp_path: Path, error: Exception, reason: str, defects: int
) -> None:
    losses = Losses(tmp_path)
    assert not losses.done("the seal", lambda: failing(error))
    told = losses.told(result(Verdict.PASS))
    assert told.verdict is Verdict.UNKNOWN
    assert told.reasons[-1].startswith("missing: the seal: ")
    assert reason in told.reasons[-1]
    assert len(losses.defects) == defects
    assert all("Traceback" in each for each in losses.defects)


def test_a_proven_fail_stays_one(tmp_path: Path) -> None:
    losses = Losses(tmp_path)
    losses.done("report.html", lambda: failing(Unavailable("no")))
    told = losses.told(result(Verdict.FAIL))
    assert told.verdict is Verdict.FAIL
    assert told.reasons[0] == "downtime after crash: 7.6 s > 5 s"


def test_what_goes_through_at_last_is_not_missing(tmp_path: Path) -> None:
    losses = Losses(tmp_path)
    assert losses.result("junit.xml", lambda: failing(Unavailable("no")), "nothing") == "nothing"
    assert "junit.xml" in losses
    assert losses.result("junit.xml", lambda: "written", "nothing") == "written"
    assert losses.told(result(Verdict.PASS)) == result(Verdict.PASS)
