"""Locust's HTTP users get our measuring client where they would make a session of their own.

`HttpUser.__init__` makes an `HttpSession` and `FastHttpUser.__init__` a `FastHttpSession`; what a scenario's
own `__init__` or `on_start` sets on it, headers or a login, has to be set on the client that is used. So
while a load goes on those two names stand for our client, in the two modules that call them and for the user
classes that the load drives. Making one takes a hundredth of what a session of requests takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from locust import User
from locust.contrib import fasthttp as _fasthttp
from locust.user import users as _users

from seatrial.load.client import Client


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a user class says about its client."""

    host: str
    verify: bool | str = True


Make = Callable[[User, ClientSettings], Client]

users: Any = _users
fasthttp: Any = _fasthttp

_OURS: list[Make] = []  # at most one: of the load that goes on


def client_for(user: User, settings: ClientSettings) -> Client | None:
    """A client of the load that goes on; None when there is none."""
    return _OURS[0](user, settings) if _OURS else None


def provide(make: Make, driven: tuple[type[User], ...]) -> Callable[[], None]:
    """From now on users of the `driven` classes get clients that `make` makes; call the result to end it."""
    before: tuple[Any, Any] = users.HttpSession, fasthttp.FastHttpSession

    def session(*arguments: Any, user: User, **options: Any) -> Any:
        if not isinstance(user, driven):
            return before[0](*arguments, user=user, **options)
        return make(user, ClientSettings(user.host or ""))

    def fast_session(*arguments: Any, user: User, **options: Any) -> Any:
        if not isinstance(user, driven):
            return before[1](*arguments, user=user, **options)
        return make(user, ClientSettings(user.host or "", verify=not options.get("insecure")))

    def stop() -> None:
        _OURS.clear()
        users.HttpSession, fasthttp.FastHttpSession = before

    _OURS[:] = [make]
    users.HttpSession, fasthttp.FastHttpSession = session, fast_session
    return stop
