"""Connections to a Redis or Valkey server.

The client's own retries are switched off: a fault that is retried silently cannot be timed, and an undo that
hangs for long is worse than one that fails and is tried again. The client's connections are judged by the
address that they go to: the name is resolved here, and the library is given an address.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

from seatrial.drivers import reach
from seatrial.drivers.redis import RedisBinding
from seatrial.model.allow import AllowList
from seatrial.model.problems import BadInput, TooLate, Unavailable, Unreachable, translating
from seatrial.model.role import Role

_ANSWER_WITHIN_S = 2.0


class Server:
    """A connection. Every failure is Unavailable, told without the address: it may hold a password."""

    def __init__(self, client: Any, role: str) -> None:
        self._client = client
        self._role = role

    def do(self, *command: str | int) -> Any:
        """One command, one answer."""
        with self._translating(f"{self._role}: {command[0]}"):
            return self._client.execute_command(*command)

    def at_once(self, *commands: tuple[str | int | bytes, ...]) -> list[Any]:
        """Several in one packet, which the server takes one after the other before it serves anybody else."""
        with self._translating(f"{self._role}: {commands[0][0]!s}"):
            pipeline = self._client.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            return list(pipeline.execute())

    @staticmethod
    @contextlib.contextmanager
    def _translating(what: str) -> Iterator[None]:
        with translating(what):
            try:
                yield
            except redis.RedisError as error:
                raise _kind_of(error)(f"{what}: {error}") from error

    def setting(self, name: str) -> str:
        """CONFIG GET of one name."""
        answer = self.do("CONFIG", "GET", name)
        if isinstance(answer, list):
            answer = dict(zip(map(_text, answer[::2]), answer[1::2], strict=False))
        if isinstance(answer, dict):
            for key, value in answer.items():
                if _text(key) == name:
                    return _text(value)
        raise Unavailable(f"{self._role}: the server has no setting {name}")

    def figures(self, section: str) -> dict[str, str]:
        """INFO of one section."""
        answer = self.do("INFO", section)
        if isinstance(answer, dict):
            return {str(key): str(value) for key, value in answer.items()}
        return dict(line.split(":", 1) for line in _text(answer).splitlines() if ":" in line)

    def clients(self) -> list[dict[str, str]]:
        """CLIENT LIST: who is connected, with what they hold."""
        answer = self.do("CLIENT", "LIST")
        if isinstance(answer, list):
            return [{str(key): str(value) for key, value in one.items()} for one in answer]
        lines = (line.split() for line in _text(answer).splitlines())
        return [dict(field.split("=", 1) for field in line if "=" in field) for line in lines]


class _Judged(redis.Connection):
    """Connects to an allowed address of its host, and to no other."""

    def __init__(self, *, admitted: Callable[[str], list[str]], **options: Any) -> None:
        self._admitted = admitted
        super().__init__(**options)  # type: ignore[no-untyped-call]

    def _connect(self) -> Any:
        name, refusal = self.host, OSError("no address")
        for address in self._admitted(name):
            self.host = address
            try:
                return super()._connect()  # type: ignore[no-untyped-call]
            except OSError as error:
                refusal = error
            finally:
                self.host = name  # a certificate is one of the name
        raise refusal


class _JudgedTls(redis.SSLConnection, _Judged):
    """The same within TLS: the library's class for it secures what the next class in line has connected."""


_CONNECTIONS = {redis.Connection: _Judged, redis.SSLConnection: _JudgedTls}


def client_of(allow: AllowList, who: str, url: str, patience_s: float, **options: Any) -> redis.Redis:
    """A client that touches allowed addresses only, or a Unix socket. It connects with its first command.

    `patience_s`: for connecting, and again for each answer. Raises BadInput for what is no server's address.
    """
    try:
        parameters = parse_url(url)  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise BadInput(f"{who}: url: {error}") from error
    kind = parameters.pop("connection_class", redis.Connection)
    if kind in _CONNECTIONS:
        kind = _CONNECTIONS[kind]
        parameters["admitted"] = functools.partial(reach.admitted, allow, who=who)
    parameters |= {"socket_timeout": patience_s, "socket_connect_timeout": patience_s, **options}
    pool = redis.ConnectionPool(connection_class=kind, retry=Retry(NoBackoff(), 0), **parameters)
    return redis.Redis.from_pool(pool)


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
    url, options = role.bound_to(RedisBinding).url, {"socket_connect_timeout": _ANSWER_WITHIN_S}
    client = client_of(role.allow_list, role.name, url, answer_within_s, **options)
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
