"""At the end, only the named release answers."""

from dataclasses import replace

import pytest
from tests.support.rows import log_of

from seatrial.checks.protocol import History
from seatrial.checks.registry import build
from seatrial.model.verdict import Verdict


def history(*answers: tuple[float, str]) -> History:
    rows = [
        {"intended": due, "sent": due, "ended": due + 0.01, "ok": True, "status": 200, "name": "", "served_by": who,
         "error": "", "worker": "", "key": None}
        for due, who in answers
    ]  # fmt: skip
    return History(log_of(rows), (), 2.0, 20.0)


@pytest.mark.parametrize(
    ("parameters", "answers", "expected"),
    [
        ({"release": "blue"}, [(2, "green/east"), (18, "blue/east"), (19, "blue/west")], Verdict.PASS),
        ({"release": "blue"}, [(18, "blue/east"), (19, "green/east")], Verdict.FAIL),
        ({"region": "west"}, [(18, "blue/west"), (19, "green/west")], Verdict.PASS),
        ({"release": "blue", "region": "west"}, [(18, "blue/west"), (19, "blue/east")], Verdict.FAIL),
        ({"release": "blue"}, [(18, "")], Verdict.UNKNOWN),
        ({"release": "blue"}, [(2, "blue")], Verdict.UNKNOWN),
        ({}, [(18, "blue")], Verdict.UNKNOWN),
    ],
)
def test_verdicts(parameters: dict[str, str], answers: list[tuple[float, str]], expected: Verdict) -> None:
    result = build("served-by", parameters).judge(history(*answers))
    assert result.verdict is expected
    assert result.detail


@pytest.mark.parametrize("release", ["blue", "green"])
def test_a_run_that_was_cut_short_has_no_end_to_speak_of(release: str) -> None:
    told = replace(history((18, "green/east"), (19, "green/east")), cut="the load generator ended early")
    result = build("served-by", {"release": release}).judge(told)
    assert result.verdict is Verdict.UNKNOWN
    assert "the load generator ended early" in result.detail
