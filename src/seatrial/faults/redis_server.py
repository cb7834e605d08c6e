"""A connection to a Redis or Valkey server, bound as `drivers.redis` says.

The client's own retries are switched off: a fault that is retried silently cannot be timed, and an undo that
hangs for long is worse than one that fails and is tried again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from seatrial.drivers.redis import RedisBinding
from seatrial.faults.protocol import Role
from seatrial.model.problems import TooLate, Unavailable, Unreachable

_ANSWER_WITHIN_S = 2.0


class Server:
    """A connection. Every failure is Unavailable, told without the address: it may hold a password."""

    def __init__(self, client: Any, role: str) -> None:
        self._client = client
        self._role = role

    def do(self, *command: str | int) -> Any:
        """One command, one answer."""
        try:
            return self._client.execute_command(*command)
        except redis.RedisError as error:
            raise _kind_of(error)(f"{self._role}: {command[0]}: {error}") from error

    def setting(self, name: str) -> str:
        """CONFIG GET of one name."""
        answer = self.do("CONFIG", "GET", name)
        pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
        for key, value in pairs:
            if _text(key) == name:
                return _text(value)
        raise Unavailable(f"{self._role}: the server has no setting {name}")

    def figures(self, section: str) -> dict[str, str]:
        """INFO of one section."""
        answer = self.do("INFO", section)
        if isinstance(answer, dict):
            return {str(key): str(value) for key, value in answer.items()}
        return dict(line.split(":", 1) for line in _text(answer).splitlines() if ":" in line)


def _kind_of(error: redis.RedisError) -> type[Unavailable]:
    match error:
        case redis.TimeoutError():
            return TooLate
        case redis.AuthenticationError() | redis.BusyLoadingError():
            return Unavailable  # it is there, and says why it refuses
        case redis.ConnectionError():
            return Unreachable
        case _:
            return Unavailable


@contextlib.contextmanager
def connected(role: Role, answer_within_s: float = _ANSWER_WITHIN_S) -> Iterator[Server]:
    """A connection to the role's server. Raises BadInput for a host that is not allowed."""
    url = role.bound_to(RedisBinding).url
    role.require_allowed(urlsplit(url).hostname or "")
    client = redis.Redis.from_url(
        url,
        socket_timeout=answer_within_s,
        socket_connect_timeout=_ANSWER_WITHIN_S,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        yield Server(client, role.name)
    finally:
        client.close()


def answers(role: Role) -> bool:
    """Whether it answers, and holds no client back, as far as it says."""
    return holds_back(role) in ("none", None)


def holds_back(role: Role) -> str | None:
    """Which actions of clients it holds back, in its own words; None when it does not say, as before 7.2."""
    with connected(role) as server:
        server.do("PING")
        return server.figures("clients").get("paused_actions")


def shell(role: Role, command: str) -> str:
    """`command` as a person would type it, with the address as the target file has it."""
    return f'redis-cli -u "{role.as_written(RedisBinding).url}" {command}'


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
