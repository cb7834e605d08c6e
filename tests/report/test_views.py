import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from seatrial.model.result import ObjectiveResult, StepRecord
from seatrial.model.undo import UndoOutcome
from seatrial.model.verdict import Verdict
from seatrial.report import Dossier
from seatrial.report.views import facts, files, key_objective, measured_text, moment, objective, step


def test_the_scale_is_true_to_the_numbers() -> None:
    view = objective(ObjectiveResult("downtime", 5.0, 1.0, 2.0, "s", Verdict.PASS))
    assert view.scale is not None
    assert view.scale.left / view.scale.target == pytest.approx(1 / 5, rel=1e-3)
    assert view.scale.width == pytest.approx(view.scale.left, rel=1e-3)
    assert view.scale.target == pytest.approx(87.5)


@pytest.mark.parametrize(("lower", "upper"), [(6.0, math.inf), (6.0, None)])
def test_an_end_never_seen_reaches_the_edge_of_the_scale(lower: float, upper: float | None) -> None:
    result = ObjectiveResult("downtime", 5.0, lower, upper, "s", Verdict.FAIL)
    view = objective(result)
    assert view.measured == "6.00 s or more"
    assert measured_text(result) == "[6.00, ∞) s"
    assert view.scale is not None
    assert view.scale.left + view.scale.width == pytest.approx(100)


def test_what_could_not_be_measured_has_no_scale() -> None:
    view = objective(ObjectiveResult("downtime", 5.0, None, None, "s", Verdict.UNKNOWN, "did not happen"))
    assert (view.measured, view.scale) == ("not measured", None)


def test_the_key_figure_is_the_worst_length_of_time(make: Callable[[str], Dossier]) -> None:
    found = key_objective(make("fail").result)
    assert found is not None
    assert found.name == "downtime after rollback"
    assert key_objective(make("empty").result) is None


def test_steps_say_what_did_not_happen() -> None:
    assert step(1, StepRecord("a", "action", "deploy.switch", "edge", 5.0)).happened == "did not happen"
    fault = step(2, StepRecord("b", "fault", "process.kill", "worker", 5.0, 5.0, 5.001))
    assert fault.happened == "5.000 … 5.001 s"
    assert fault.undone == "not undone"


@pytest.mark.parametrize(("kind", "words"), [("fault", "NOT undone"), ("action", "NOT put back")])
def test_a_step_that_is_left_behind_says_what_to_do(kind: str, words: str) -> None:
    record = StepRecord(
        *("boom", kind, "command.run", "cache", 5.0, 5.0, 5.001),
        undo=UndoOutcome.FAILED,
        error="sh failed with 3",
        by_hand="sh -c 'exit 3'",
    )
    shown = step(1, record)
    assert (shown.undone, shown.by_hand, shown.error) == (words, "sh -c 'exit 3'", "")
    assert shown.left == f"boom (command.run on cache) is left behind, {words}: sh failed with 3"
    back = step(1, replace(record, undo=UndoOutcome.VERIFIED, undone_s=9.0, error=""))
    assert (back.undone, back.by_hand, back.left) == ("9.000 s", "", "")


def test_any_json_becomes_rows() -> None:
    rows = list(facts({"a_b": 1.25, "c": {"d": {"e": {"f": [1, 2]}}}}))
    assert [(row.name, row.value, row.depth) for row in rows] == [
        ("a b", "1.25", 0),
        ("c", "", 0),
        ("d", "", 1),
        ("e", '{"f": [1, 2]}', 2),
    ]


def test_digests_stand_beside_their_files() -> None:
    found = files({"requests": "requests.parquet", "sha256": "aa"}, {"journal.jsonl": "bb"})
    assert [(one.what, one.file, one.sha256) for one in found] == [
        ("requests", "requests.parquet", "aa"),
        ("", "journal.jsonl", "bb"),
    ]


def test_a_step_says_how_soon_its_effect_was_seen() -> None:
    crash = StepRecord("crash", "fault", "process.kill", "app", 5.0, 5.0, 5.001)
    assert step(1, crash).seen == ""
    assert step(1, replace(crash, observed_s=5.002)).seen == "effect seen 2.00 ms after"


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        ("2026-11-29T09:32:37+00:00", "2026-11-29 09:32:37 UTC"),
        ("2026-11-29T10:32:37+01:00", "2026-11-29 09:32:37 UTC"),
        ("2026-11-29T09:32:37", "2026-11-29T09:32:37"),
        ("yesterday", "yesterday"),
    ],
)
def test_an_instant_is_written_for_people_where_its_zone_is_known(recorded: str, shown: str) -> None:
    assert moment(recorded) == shown
