"""Locust's own instances of the driven user classes stand by: the load is not made by them.

Locust spawns as many users as `-u` says, one by default, and runs each in a loop. In an open model arrivals
come by a schedule and are served by virtual users. What Locust spawns are the first of these, and there will
be more if more are busy at once; the loop in which Locust would run them only waits to be stopped. So Locust
keeps its bookkeeping, and its listeners see users of the scenario's classes.
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


def hold(user_classes: Iterable[type[User]], welcome: Callable[[User], None]) -> Callable[[], None]:
    """Have every user that Locust spawns of these classes stand by; call the result to let go again.

    `welcome` is called with each of them.
    """

    def start(user: User, group: Any) -> Any:
        welcome(user)
        return stand_by(user, group)

    held = {each: vars(each).get("start") for each in user_classes}
    for user_class in held:
        user_class.start = start  # type: ignore[method-assign,assignment]

    def let_go() -> None:
        while held:
            user_class, start = held.popitem()
            if start is None:
                del user_class.start
            else:
                user_class.start = start  # type: ignore[method-assign]

    return let_go


def _wait(user: User) -> None:  # noqa: ARG001  # Locust finds the user in the greenlet's arguments
    Event().wait()
