"""The HTTP client of all drivers: it touches allowed hosts only, ends in time, and never trusts an answer.

    ask(url) ─► host ─► its addresses now ─► the allowed ones ─► connect ─► read, within a time and a size
                                                    └── none: BadInput

What is different from an ordinary client:

* The allow list is held on the address that is connected to. Proxies and passwords from the environment are
  ignored, and a redirect is an answer like any other: it is not followed, here or elsewhere.
* The time limit is one for the whole request. A server that sends a byte a second keeps nobody waiting.
* An answer has a largest size, and what claims to be JSON is JSON or an Unavailable with the reason.
"""

from __future__ import annotations

import json as jsonlib
import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

import httpcore
import httpx

from seatrial.drivers import reach
from seatrial.model.allow import AllowList
from seatrial.model.problems import BadInput, TooLate, Unavailable, Unreachable

MOST_BYTES = 64 * 1024 * 1024

_NO_QUESTION = (
    httpx.InvalidURL,
    httpx.UnsupportedProtocol,
    httpcore.UnsupportedProtocol,
    ValueError,
    TypeError,
    OverflowError,
)
_FAILED = (httpx.HTTPError, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_USERINFO = re.compile(r"//[^/?#]*@")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    to: str  # who was asked what, for people: replicas: GET http://127.0.0.1:9000/state
    status: int
    headers: Mapping[str, str]  # names in lower case
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def is_error(self) -> bool:
        """Whether the status is 4xx or 5xx."""
        return self.status >= 400

    @property
    def text(self) -> str:
        """The content as UTF-8; what is none is replaced."""
        return self.content.decode(errors="replace")

    @property
    def opening(self) -> str:
        """The first words of the text, in one line, for messages."""
        return " ".join(self.text[:400].split())[:200]

    def json(self) -> Any:
        """The content. Raises Unavailable when it is not JSON; NaN and Infinity are not."""
        try:
            value = jsonlib.loads(self.content, parse_constant=_refuse_constant)
            if _SURROGATE.search(self.content):
                jsonlib.dumps(value, ensure_ascii=False).encode()  # half a pair could not be written again
            return value
        except (ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, ValueError) else "nested too deeply"
            raise Unavailable(
                f"{self.to}: HTTP {self.status}, but no JSON: {reason}: {self.opening}"
            ) from error

    def object(self) -> dict[str, Any]:
        """The same, which must be a JSON object."""
        value = self.json()
        if not isinstance(value, dict):
            raise Unavailable(f"{self.to}: HTTP {self.status}, but no JSON object: {self.opening}")
        return value


class HttpClient:
    """Asks the hosts that `allow` admits; `who` is named in errors. May be shared by threads."""

    def __init__(
        self,
        allow: AllowList,
        who: str,
        within_s: float,
        most_bytes: int = MOST_BYTES,
        tls: ssl.SSLContext | None = None,
        unix: Path | None = None,
        http2: bool = False,
    ) -> None:
        """`tls`: what https is held against; None: what this machine trusts. `http2`: speak nothing else.

        `unix`: a Unix socket that every request goes to, whatever host its URL names. Such a socket is one of
        this machine, and no allow list is held on it.
        """
        self._who = who
        self._within_s = within_s
        self._most_bytes = most_bytes
        self._limit = _Limit()
        backend = _UnixBackend(unix, self._limit) if unix else _Backend(allow, who, self._limit)
        transport = _Transport(backend, tls, http2)
        self._client = httpx.Client(transport=transport, trust_env=False, timeout=within_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._client.close()

    def ask(
        self,
        method: str,
        url: str,
        *,
        within_s: float | None = None,
        connect_within_s: float | None = None,
        **options: Any,
    ) -> Answer:
        """One request and its answer, whatever its status. `options` are those of `httpx.Client.request`.

        Raises BadInput for a host that is not allowed and for what cannot be put into a request, Unavailable
        when there is no whole answer within the time.
        """
        question = f"{self._who}: {method} {_USERINFO.sub('//', url)}"
        patience_s = self._within_s if within_s is None else within_s
        patience = httpx.Timeout(patience_s, connect=connect_within_s or patience_s)
        self._limit.end_s = time.monotonic() + patience_s
        try:
            with self._client.stream(method, url, timeout=patience, **options) as response:
                content = self._read(response, question)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(question, response.status_code, headers, content)
        except _NO_QUESTION as error:
            raise BadInput(f"{question}: cannot be asked: {error}") from error
        except _FAILED as error:
            raise _kind_of(error)(f"{question}: {str(error) or type(error).__name__}") from error

    def _read(self, response: httpx.Response, question: str) -> bytes:
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > self._most_bytes:
                most = f"{self._most_bytes:,} bytes"
                raise Unavailable(f"{question}: the answer is longer than {most}")
        return bytes(content)


def ask(allow: AllowList, who: str, method: str, url: str, within_s: float, **options: Any) -> Answer:
    """One request by a client of its own; see `HttpClient.ask`."""
    with HttpClient(allow, who, within_s) as client:
        return client.ask(method, url, **options)


def _kind_of(error: Exception) -> type[Unavailable]:
    """What no answer means: nobody is there, or whoever is there took too long, or neither is known."""
    match error:
        case httpcore.ConnectError() | httpcore.ConnectTimeout():
            return Unreachable
        case httpcore.TimeoutException() | httpx.TimeoutException():
            return TooLate
        case _:
            return Unavailable


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


class _Limit(threading.local):
    """When the request of this thread has to be over, on the monotonic clock."""

    end_s = float("inf")

    def left_s(self, expired: type[Exception], timeout_s: float | None) -> float:
        """What a wait may take. Raises `expired` when there is nothing left."""
        left_s = self.end_s - time.monotonic()
        if left_s <= 0:
            raise expired("timed out")
        return left_s if timeout_s is None else min(left_s, timeout_s)


class _Backend(httpcore.NetworkBackend):
    """Connects to allowed addresses only."""

    def __init__(self, allow: AllowList, who: str, limit: _Limit) -> None:
        self._allow = allow
        self._who = who
        self._limit = limit
        self._system = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        refusal: Exception | None = None
        for address in reach.admitted(self._allow, host, self._who):
            left_s = self._limit.left_s(httpcore.ConnectTimeout, timeout)
            try:
                stream = self._system.connect_tcp(address, port, left_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                refusal = error
            else:
                return _Stream(stream, self._limit)
        assert refusal is not None
        raise refusal


class _UnixBackend(httpcore.NetworkBackend):
    """Connects to one Unix socket."""

    def __init__(self, path: Path, limit: _Limit) -> None:
        self._path = path
        self._limit = limit

    def connect_tcp(
        self, *_place: Any, timeout: float | None = None, **_options: Any
    ) -> httpcore.NetworkStream:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(self._limit.left_s(httpcore.ConnectTimeout, timeout))
            connection.connect(str(self._path))
        except OSError as error:
            connection.close()  # which the library's own way would leave to the garbage collector
            raise httpcore.ConnectError(f"{self._path}: {error.strerror or error}") from error
        return _Stream(_Socket(connection), self._limit)


class _Stream(httpcore.NetworkStream):
    """A connection on which no wait outlasts its request."""

    def __init__(self, stream: httpcore.NetworkStream, limit: _Limit) -> None:
        self._stream = stream
        self._limit = limit

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._limit.left_s(httpcore.ReadTimeout, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._limit.left_s(httpcore.WriteTimeout, timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left_s = self._limit.left_s(httpcore.ConnectTimeout, timeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left_s), self._limit)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


class _Socket(httpcore.NetworkStream):
    """A Unix socket as a stream."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._connection.settimeout(timeout)
        try:
            return self._connection.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._connection.settimeout(timeout)
        try:
            self._connection.sendall(buffer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def get_extra_info(self, info: str) -> Any:
        """Whether it can be read is what the pool asks of an idle connection."""
        return bool(select.select([self._connection], [], [], 0)[0]) if info == "is_readable" else None

    def close(self) -> None:
        self._connection.close()


class _Transport(httpx.BaseTransport):
    """httpx over a connection pool with a network backend of ours."""

    def __init__(self, backend: httpcore.NetworkBackend, tls: ssl.SSLContext | None, http2: bool) -> None:
        self._pool = httpcore.ConnectionPool(
            network_backend=backend, ssl_context=tls, http1=not http2, http2=http2
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        body = _Body(answer.iter_stream, answer.close)
        return httpx.Response(answer.status, headers=answer.headers, stream=body)

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """The content, as it comes."""

    def __init__(self, chunks: Callable[[], Iterator[bytes]], close: Callable[[], None]) -> None:
        self._chunks = chunks
        self._close = close

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks()

    def close(self) -> None:
        self._close()
