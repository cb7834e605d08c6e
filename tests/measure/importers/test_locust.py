"""Locust: events yes, summaries no."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.measure.importers import read
from seatrial.model.problems import BadInput


def test_events_become_requests(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(
        "start_time,response_time,name,exception\n"
        "1767225600.0,1.5,/,\n"
        "1767225600.25,2000,/,\"ConnectionRefusedError(111, 'refused')\"\n"
    )
    imported = read(path)
    log = imported.log
    assert imported.format == "locust"
    assert log.sent.tolist() == pytest.approx([0.0, 0.25])
    assert (log.ended - log.sent).tolist() == pytest.approx([0.0015, 2.0], abs=1e-6)
    assert log.ok.tolist() == [True, False]
    assert "coordinated omission" in imported.warnings[0]


@pytest.mark.parametrize(
    "header",
    [
        "Type,Name,Request Count,Failure Count,Median Response Time",
        "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%",
        "Method,Name,Error,Occurrences",
        "Count,Message,Traceback,Nodes",
    ],
)
def test_summaries_are_refused_with_what_to_do_instead(tmp_path: Path, header: str) -> None:
    path = tmp_path / "run_stats.csv"
    path.write_text(f"{header}\n")
    with pytest.raises(BadInput, match=r":1: holds Locust's summaries.*OpenLoopUser.*start_time"):
        read(path)
