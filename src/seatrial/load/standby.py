"""Locust's own instances of the driven user classes stand by: the load is not made by them.

Locust spawns as many users as `-u` says, one by default, and runs each in a loop. In an open model arrivals
come by a schedule and are served by virtual users of ours, so what Locust spawns only waits to be stopped:
Locust keeps its bookkeeping, and its listeners see users of the scenario's classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gevent.event import Event
from locust import User


def stand_by(user: User, group: Any) -> Any:
    """In place of `User.start`."""
    user._group = group
    user._greenlet = group.spawn(_wait, user)
    return user._greenlet


def hold(user_classes: Iterable[type[User]]) -> Callable[[], None]:
    """Have every user that Locust spawns of these classes stand by; call the result to let go again."""
    held = [(each, vars(each).get("start")) for each in user_classes]
    for user_class, _ in held:
        user_class.start = stand_by  # type: ignore[method-assign,assignment]

    def let_go() -> None:
        for user_class, start in held:
            if start is None:
                del user_class.start
            else:
                user_class.start = start  # type: ignore[method-assign]

    return let_go


def _wait(user: User) -> None:  # noqa: ARG001  # Locust finds the user in the greenlet's arguments
    Event().wait()
