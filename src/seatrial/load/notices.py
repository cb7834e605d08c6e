"""What of a locustfile means something else in an open model, or nothing: said when its test starts.

Locustfiles are written for a number of users who each go round a loop. Most of that carries over as it is;
what does not must not be found out from strange figures afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from locust import FastHttpUser, HttpUser, SequentialTaskSet, TaskSet, User

from seatrial.load.user_pool import Task

_NO_POOL = "connections are the load's own"
_UNUSED = {  # of a class's settings, those that our client has no use for, and why
    "pool_manager": _NO_POOL,
    "client_pool": _NO_POOL,
    "concurrency": _NO_POOL,
    "max_retries": "nothing is ever sent twice, for that would hide outages",
}


def notices(user_classes: Sequence[type[User]], tasks: Sequence[Task], host: str) -> list[str]:
    """In a line each. `host`: what the test was told to send to, "" for what the classes say."""
    found = [*_shares(user_classes, tasks), *_waits(user_classes, tasks), *_other_hosts(user_classes, host)]
    for user_class in user_classes:
        found += [*_former_waits(user_class), *_unused(user_class)]
    return found


def refuse_proxies(user_classes: Iterable[type[User]]) -> None:
    """Raise ValueError for a class whose client would ask a proxy: whom it asks could not be told."""
    for user_class in user_classes:
        if getattr(user_class, "proxy_host", None):
            raise ValueError(
                f"{user_class.__name__}.proxy_host: whom a proxy asks cannot be held to an allow list; "
                "give the proxy's own address as the host"
            )


def _shares(user_classes: Sequence[type[User]], tasks: Sequence[Task]) -> Iterator[str]:
    """Who gets how many of the arrivals, where that is not plain."""
    fixed = [each for each in user_classes if each.fixed_count]
    if len(user_classes) == 1 and not fixed:
        return
    total = sum(task.weight for task in tasks)
    parts = [sum(task.weight for task in tasks if task.pool.user_class is each) for each in user_classes]
    shares = [f"{each.__name__} {part / total:.3g}" for each, part in zip(user_classes, parts, strict=True)]
    counted = "; fixed_count is a number of users, and counts as a weight here" if fixed else ""
    yield f"shares of the arrivals: {', '.join(shares)}{counted}"


def _waits(user_classes: Sequence[type[User]], tasks: Sequence[Task]) -> Iterator[str]:
    waiting = [each.__name__ for each in user_classes if each.wait_time is not User.wait_time]
    sets = list(dict.fromkeys(_task_sets(task.what for task in tasks)))
    waiting += [each.__name__ for each in sets if each.wait_time is not TaskSet.wait_time]
    if not waiting:
        return
    journeys = [each.__name__ for each in sets if issubclass(each, SequentialTaskSet)]
    where = f" beyond the waits between the steps of {', '.join(journeys)}" if journeys else ""
    yield f"wait_time of {', '.join(waiting)} means nothing{where}: the rate says when arrivals come"


def _task_sets(tasks: Iterable[Any]) -> Iterator[type[TaskSet]]:
    for task in tasks:
        if isinstance(task, type) and issubclass(task, TaskSet):
            yield task
            yield from _task_sets(dict.fromkeys(task.tasks))


def _former_waits(user_class: type[User]) -> Iterator[str]:
    low, high = user_class.min_wait, user_class.max_wait
    if low is not None or high is not None:
        shortest, longest = ((each or 0) / 1e3 for each in (low, high))
        yield (
            f"{user_class.__name__}.min_wait and max_wait are of Locust before 1.0, and are not waited; "
            f"write wait_time = between({shortest:g}, {longest:g})"
        )


def _other_hosts(user_classes: Sequence[type[User]], host: str) -> Iterator[str]:
    own = [each for each in user_classes if each.host and each.host.rstrip("/") != host.rstrip("/")]
    if host and own:
        names = ", ".join(each.__name__ for each in own)
        yield f"host of {names} is not used: the test was told where to send to"


def _unused(user_class: type[User]) -> Iterator[str]:
    if not issubclass(user_class, FastHttpUser | HttpUser):
        return
    base: Any = FastHttpUser if issubclass(user_class, FastHttpUser) else HttpUser
    for setting, reason in _UNUSED.items():
        if getattr(user_class, setting, None) != getattr(base, setting, None):
            yield f"{user_class.__name__}.{setting} is not used: {reason}"
