"""The server: on the loopback unless told otherwise, and patient with nobody who is too slow."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from seatrial.model.problems import BadInput, Unavailable
from seatrial.web.guard import MOST_HEADERS

HEADERS_WITHIN_S = 10.0
READ_WITHIN_S = 30.0
_MOST_CONNECTIONS = 800
_BACKLOG = 256


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """`HOST:PORT`, `[::1]:PORT`. Raises BadInput."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:
            raise BadInput(f"--address: '{text}' is not HOST:PORT, such as 127.0.0.1:9470")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        if self.host == "localhost":
            return True
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return False

    def url(self, port: int) -> str:
        """How a browser here reaches it."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{port}/"


class Patience(H11Protocol):
    """HTTP, for clients that are done asking in ten seconds and take what they are sent in thirty.

    The server itself times only the silence between two requests.
    """

    _waiting: asyncio.TimerHandle | None = None
    _sending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Whoever connects has something to ask."""
        super().connection_made(transport)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """A request may come in pieces, all of them in time."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._disarm()
        elif self._waiting is None and self.timeout_keep_alive_task is None:
            self._await_request()

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        if self._sending is None:
            self._sending = self.loop.call_later(READ_WITHIN_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._disarm()
        if self._sending is not None:
            self._sending.cancel()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        self._waiting = self.loop.call_later(HEADERS_WITHIN_S, self.transport.abort)

    def _disarm(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


def bind(address: Address) -> socket.socket:
    """A socket that listens there. Raises BadInput, Unavailable."""
    try:
        family, kind, _, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise BadInput(
            f"--address: '{address.host}' is no address of this machine: {error.strerror}"
        ) from error
    listening = socket.socket(family, kind)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        where = f"{address.host}:{address.port}"
        raise Unavailable(
            f"nothing can listen at {where}: {error.strerror}; choose another with --address"
        ) from error
    return listening


def server(app: ASGIApp) -> uvicorn.Server:
    """A server that is told where to listen when it is run."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            http=Patience,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_CONNECTIONS,
            backlog=_BACKLOG,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=MOST_HEADERS,
        )
    )


def run(app: ASGIApp, listening: socket.socket, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Serve until a signal says end. `meanwhile`: what is done once, beside it, while nobody waits for it."""
    threading.Thread(target=meanwhile, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):  # the server has ended in good order by then
        server(app).run(sockets=[listening])


def schedules_here(place: Path) -> tuple[Path, ...]:
    """The schedules that a checkout has where they are looked for."""
    return tuple(sorted((place / "schedules").glob("*.yaml")))
