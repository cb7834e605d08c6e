"""hey's CSV: answers alone, so what failed is a silence."""

from __future__ import annotations

from pathlib import Path

from seatrial.measure import measure
from seatrial.measure.generator import ANSWERED_ALONE
from seatrial.measure.importers import read

HEAD = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset\n"


def test_a_stall_of_a_closed_loop_is_a_silence_of_no_seconds_at_the_least(tmp_path: Path) -> None:
    path = tmp_path / "hey.csv"
    rows = [
        f"0.0050,0,0,0,0.004,0,{503 if at == 9 else 200},{at / 50:.4f}\n"
        for at in range(500)
        if not 200 <= at < 300
    ]
    path.write_text(HEAD + "".join(rows))
    found = read(path)
    assert (found.format, found.tells, found.exact.sent_s) == ("hey", ANSWERED_ALONE, 1e-4)
    measured = measure(found.log, 2.0, 1.0, tells=found.tells, exact=found.exact)
    assert [outage.bad for outage in measured.outages] == [1]
    (silence,) = measured.silences
    assert 2.0 <= silence.upper_s <= 2.05
