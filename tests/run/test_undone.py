"""The table: every way in which an undo can come out has its verdict, and each is told to somebody."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from tests.support.results import result
from tests.support.sinks import KEPT

from seatrial.incidents.history import IncidentHistory
from seatrial.incidents.policy import Context, on_result
from seatrial.model.result import StepRecord, plain
from seatrial.model.undo import UndoOutcome
from seatrial.model.verdict import Verdict
from seatrial.report import junit
from seatrial.report.verdictfile import read_verdict, verdict_document
from seatrial.run.conclusion import unjudged
from seatrial.run.undone import RULES, judged, troubled

EXPECTED = {
    UndoOutcome.NOT_INJECTED: Verdict.UNKNOWN,
    UndoOutcome.VERIFIED: Verdict.PASS,
    UndoOutcome.UNVERIFIED: Verdict.PASS,
    UndoOutcome.LASTING: Verdict.PASS,
    UndoOutcome.UNRECORDED: Verdict.UNKNOWN,
    UndoOutcome.IN_EFFECT: Verdict.FAIL,
    UndoOutcome.NOT_WELL: Verdict.FAIL,
    UndoOutcome.FAILED: Verdict.FAIL,
    UndoOutcome.TIMED_OUT: Verdict.FAIL,
    UndoOutcome.PARTLY: Verdict.FAIL,
    UndoOutcome.TARGET_GONE: Verdict.FAIL,
    UndoOutcome.LEFT_TO_ANOTHER: Verdict.FAIL,
}
LEFT = [outcome for outcome, verdict in EXPECTED.items() if verdict is Verdict.FAIL]
KINDS = ("fault", "action")


def a_step(undo: UndoOutcome, kind: str = "fault", error: str = "") -> StepRecord:
    happened = None if undo is UndoOutcome.NOT_INJECTED else 5.0
    return StepRecord(
        *("boom", kind, "command.run", "cache", 5.0, happened, happened),
        undo=undo,
        error=error,
        by_hand="sh -c 'exit 3'",
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("undo", UndoOutcome)
def test_every_way_has_its_verdict(undo: UndoOutcome, kind: str) -> None:
    assert RULES[undo][0] is EXPECTED[undo]
    verdict, _ = judged(a_step(undo, kind))
    assert verdict is EXPECTED[undo]


@pytest.mark.parametrize("undo", UndoOutcome)
def test_what_fails_a_run_is_what_is_left_behind(undo: UndoOutcome) -> None:
    assert undo.left_behind == (RULES[undo][0] is Verdict.FAIL)


@pytest.mark.parametrize("undo", UndoOutcome)
def test_a_run_that_could_not_be_judged_fails_for_what_is_left_behind(undo: UndoOutcome) -> None:
    told = unjudged(result(steps=(a_step(undo),)))
    assert told.verdict is (Verdict.FAIL if undo.left_behind else Verdict.UNKNOWN)
    assert told.reasons[-1] == "downtime after crash: 7.6 s > 5 s", "what was known stays"
    assert undo.left_behind == any("by hand: sh -c 'exit 3'" in reason for reason in told.reasons)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("undo", LEFT)
def test_whatever_is_left_is_told_everywhere_with_the_command(undo: UndoOutcome, kind: str) -> None:
    step = a_step(undo, kind, "sh failed with 3")
    _, sentence = judged(step)
    assert "sh failed with 3; by hand: sh -c 'exit 3', then: seatrial recover" in sentence
    run = result(Verdict.FAIL, steps=(step,))
    assert run.left_behind == (step,)
    (case,) = ET.fromstring(junit(run)).iterfind(".//testcase[@name='boom']/failure")
    assert "by hand: sh -c 'exit 3'" in (case.text or "")
    (message, *_) = [
        each
        for each in on_result(run, datetime.now(UTC), IncidentHistory(), Context(routes=KEPT))
        if each.kind == "trigger"
    ]
    told = json.loads(message.body)
    assert told["severity"] == "critical"
    assert told["details"]["by_hand"] == ["sh -c 'exit 3'", "seatrial recover"]


@pytest.mark.parametrize("undo", sorted(set(UndoOutcome) - set(LEFT)))
def test_what_is_not_left_behind_pages_nobody(undo: UndoOutcome) -> None:
    assert result(steps=(a_step(undo),)).left_behind == ()


def test_of_a_story_that_never_began_only_what_is_left_is_told() -> None:
    steps = (a_step(UndoOutcome.NOT_INJECTED), a_step(UndoOutcome.UNRECORDED), a_step(UndoOutcome.FAILED))
    assert [verdict for verdict, _ in troubled(steps, told=False)] == [Verdict.FAIL]
    assert [verdict for verdict, _ in troubled(steps, told=True)] == [
        Verdict.UNKNOWN, Verdict.UNKNOWN, Verdict.FAIL,
    ]  # fmt: skip


def test_an_undo_that_failed_first_leaves_the_story_unknown() -> None:
    verdict, sentence = judged(a_step(UndoOutcome.VERIFIED, error="sh failed with 3"))
    assert verdict is Verdict.UNKNOWN
    assert sentence == "boom: sh failed with 3; tried again, it was undone, and seen to be gone"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, UndoOutcome.NOT_INJECTED),
        ({"injected_s": 5.0}, UndoOutcome.IN_EFFECT),
        ({"injected_s": 5.0, "undone_s": 9.0}, UndoOutcome.UNVERIFIED),
        ({"injected_s": 5.0, "undone_s": 9.0, "verified": True}, UndoOutcome.VERIFIED),
        ({"injected_s": 5.0, "undone_s": 9.0, "verified": False}, UndoOutcome.NOT_WELL),
    ],
)
def test_a_run_that_is_older_than_the_word_for_it_is_read_by_its_other_fields(
    changes: dict[str, float], expected: UndoOutcome
) -> None:
    document = verdict_document(result(steps=(a_step(UndoOutcome.VERIFIED),)))
    step = plain(StepRecord("boom", "fault", "command.run", "cache", 5.0)) | changes
    del step["undo"], step["by_hand"]
    (read,) = read_verdict(json.dumps({**document, "steps": [step]}), "verdict.json").steps
    assert read.undo_outcome is expected


@pytest.mark.parametrize("undo", UndoOutcome)
def test_a_verdict_file_keeps_how_it_came_out(undo: UndoOutcome) -> None:
    document = json.loads(json.dumps(verdict_document(result(steps=(a_step(undo),)))))
    assert document["faults"][0]["undo"] == undo.value
    assert document["faults"][0]["by_hand"] == "sh -c 'exit 3'"
    (read,) = read_verdict(json.dumps(document), "verdict.json").steps
    assert read.undo is undo
