"""Servers that say what they are told to, byte for byte, and count who came."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


def free_port() -> int:
    """One that nobody listens on; now, that is: whoever takes it should do so soon."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Listener:
    """A server on one address; each connection's first bytes are answered with what `answer` makes of them."""

    host: str
    port: int
    heard: list[bytes] = field(default_factory=list, repr=False)  # it grows, and tests are told of by it

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@contextlib.contextmanager
def listening(
    answer: Callable[[bytes], Iterator[bytes]], host: str = "127.0.0.1", port: int = 0, *, hold: bool = False
) -> Iterator[Listener]:
    """A listener for as long as the context lasts. It hangs up after its answer, or leaves that to the peer."""
    with socket.create_server((host, port), backlog=64) as server:
        listener = Listener(host, server.getsockname()[1])

        def serve(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                heard = connection.recv(65536)
                listener.heard.append(heard)
                for part in answer(heard):
                    connection.sendall(part)
                while hold and connection.recv(65536):
                    pass

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield listener
        finally:
            server.shutdown(socket.SHUT_RDWR)
            accepting.join()


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """An answer by HTTP, after which the connection is closed."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
