"""What is written of a run is read back as it was, also when an older version wrote it."""

import json
import math
from collections.abc import Callable
from dataclasses import replace

from seatrial.model.result import Bounds, ErrorBudget, Failover, Phase
from seatrial.report import Dossier
from seatrial.report.verdictfile import read_verdict, verdict_document

Make = Callable[[str], Dossier]


def test_failovers_are_read_back_and_older_files_have_none(make: Make) -> None:
    phases = (Phase("detect", 20.0, 20.58, "db-1"), Phase("decide", 20.58, None))
    result = replace(make("pass").result, failovers=(Failover("crash", phases),))
    document = verdict_document(result)
    assert read_verdict(json.dumps(document), "verdict.json").failovers == result.failovers
    del document["failovers"]
    assert read_verdict(json.dumps(document), "verdict.json").failovers == ()


def test_a_cost_is_read_back_also_one_without_an_end_and_older_files_have_none(make: Make) -> None:
    cost = ErrorBudget("orders", 0.999, 2_592_000.0, 2592.0, Bounds(1.0, math.inf))
    document = verdict_document(replace(make("pass").result, error_budget=cost))
    assert document["error_budget"]["spent"] == {"lower_s": 1.0, "upper_s": None}
    assert read_verdict(json.dumps(document), "verdict.json").error_budget == cost
    del document["error_budget"]
    assert read_verdict(json.dumps(document), "verdict.json").error_budget is None
