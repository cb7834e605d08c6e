from __future__ import annotations

from typing import Any

import pytest

from seatrial.load.user_pool import tasks_of


def browse() -> None: ...


def order() -> None: ...


class Nested:
    pass


def kind(name: str, tasks: list[Any], weight: float = 1.0) -> Any:
    return type(name, (), {"tasks": tasks, "weight": weight})


def test_classes_share_arrivals_by_weight_and_tasks_share_their_class() -> None:
    found = tasks_of([kind("Visitor", [browse, browse, browse, order], weight=2), kind("Clerk", [order])])
    assert [(task.name, task.weight) for task in found] == [("browse", 1.5), ("order", 0.5), ("order", 1.0)]
    assert found[0].pool is found[1].pool
    assert found[1].pool is not found[2].pool


def test_a_hook_that_never_runs_is_told(caplog: pytest.LogCaptureFixture) -> None:
    visitor = kind("Visitor", [browse])
    visitor.on_stop = browse
    tasks_of([visitor])
    assert "Visitor.on_stop never runs" in caplog.text


def test_what_cannot_be_run_is_told() -> None:
    with pytest.raises(ValueError, match="Idler has no tasks"):
        tasks_of([kind("Idler", [])])
    with pytest.raises(ValueError, match=r"Visitor\.Nested is a task set"):
        tasks_of([kind("Visitor", [Nested])])
