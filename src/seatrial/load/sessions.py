"""Locust's HTTP users get our measuring client where they would make a session of their own.

`HttpUser.__init__` makes an `HttpSession` and `FastHttpUser.__init__` a `FastHttpSession`; what a scenario's
own `__init__` or `on_start` sets on it, headers or a login, has to be set on the client that is used. So
while a load goes on those two names stand for our client, in the two modules that call them and for the user
classes that the load drives. Making one takes a hundredth of what a session of requests takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from locust import User
from locust.contrib import fasthttp as _fasthttp
from locust.user import users as _users

from seatrial.load.client import Client
from seatrial.load.client_state import ClientSettings
from seatrial.load.dial import Tls
from seatrial.load.fast_client import FastClient

Make = Callable[[User, ClientSettings, type[Client]], Client]

users: Any = _users
fasthttp: Any = _fasthttp

_OURS: list[Make] = []  # at most one: of the load that goes on


def client_for(user: User, settings: ClientSettings) -> Client | None:
    """A client of the load that goes on; None when there is none."""
    return _OURS[0](user, settings, Client) if _OURS else None


def provide(make: Make, driven: tuple[type[User], ...]) -> Callable[[], None]:
    """From now on users of the `driven` classes get clients that `make` makes; call the result to end it."""
    before: tuple[Any, Any] = users.HttpSession, fasthttp.FastHttpSession

    def session(*arguments: Any, user: User, **options: Any) -> Any:
        if not isinstance(user, driven):
            return before[0](*arguments, user=user, **options)
        return make(user, ClientSettings(user.host or ""), Client)

    def fast_session(*arguments: Any, user: User, **options: Any) -> Any:
        if not isinstance(user, driven):
            return before[1](*arguments, user=user, **options)
        return make(user, _fast_settings(user.host or "", options), FastClient)

    def stop() -> None:
        _OURS.clear()
        users.HttpSession, fasthttp.FastHttpSession = before

    _OURS[:] = [make]
    users.HttpSession, fasthttp.FastHttpSession = session, fast_session
    return stop


def _fast_settings(host: str, options: dict[str, Any]) -> ClientSettings:
    """What a FastHttpUser says by its attributes. It trusts any certificate unless told otherwise."""
    return ClientSettings(
        host,
        Tls(verify=not options.get("insecure"), make_context=options.get("ssl_context_factory")),
        headers=options.get("headers"),
        max_redirects=options.get("max_redirects", 30),
        timeout_s=options.get("network_timeout"),
    )
