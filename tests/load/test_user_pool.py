from __future__ import annotations

from typing import Any

import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from locust import TaskSet, User

from seatrial.load.user_pool import tasks_of


def browse(user: Any) -> None: ...


def order(user: Any) -> None: ...


class Basket(TaskSet):
    tasks = (browse,)  # type: ignore[assignment]


_class_of_users: Any = type(User)


def user_class(name: str, tasks: list[Any] | dict[Any, int], **attributes: Any) -> Any:
    return _class_of_users(name, (User,), {"tasks": tasks, **attributes})


def test_classes_share_arrivals_by_weight_and_tasks_share_their_class() -> None:
    visitor = user_class("Visitor", {browse: 3, order: 1}, weight=2)
    found = tasks_of([visitor, user_class("Clerk", [order])])
    assert [(task.name, task.weight) for task in found] == [("browse", 1.5), ("order", 0.5), ("order", 1.0)]
    assert found[0].pool is found[1].pool
    assert found[1].pool is not found[2].pool


def test_a_fixed_count_is_a_weight() -> None:
    found = tasks_of([user_class("Admin", [order], fixed_count=3, weight=7), user_class("Visitor", [browse])])
    assert [task.weight for task in found] == [3.0, 1.0]


def test_a_task_set_is_a_task_of_its_own() -> None:
    found = tasks_of([user_class("Visitor", [Basket, order])])
    assert [(task.name, task.is_set) for task in found] == [("Basket", True), ("order", False)]


def test_a_class_that_tags_have_emptied_gets_no_arrivals() -> None:
    classes = [user_class("Idler", []), user_class("Visitor", [browse])]
    assert [task.name for task in tasks_of(classes, filtered=True)] == ["browse"]
    with pytest.raises(ValueError, match="leave no task to run"):
        tasks_of(classes[:1], filtered=True)


@pytest.mark.filterwarnings("ignore:Usage of User.task_set:DeprecationWarning")
def test_what_cannot_be_run_is_told() -> None:
    with pytest.raises(ValueError, match="Idler has no tasks; mark its methods with @task"):
        tasks_of([user_class("Idler", [])])
    with pytest.raises(ValueError, match=r"task_set is of Locust before 1\.0; write tasks = \[Basket\]"):
        tasks_of([user_class("Old", [], task_set=Basket)])
