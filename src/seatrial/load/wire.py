"""HTTP/1.1 as bytes: requests out, answers in. No sockets here.

Parsing is llhttp's (by way of httptools), one parser a connection: a fresh one for each answer would cost as
much as reading the answer.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

import httptools

from seatrial.load.failure import MALFORMED, Unanswered

_DECODERS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}  # zlib's window bits; 31 expects gzip's envelope
_RAW_DEFLATE = -15

HeaderList = list[tuple[bytes, bytes]]


class Headers(Mapping[str, str]):
    """An answer's headers; names in any case. Values of a repeated header are joined by commas."""

    __slots__ = ("_values",)

    def __init__(self, pairs: HeaderList) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            self._values[key] = f"{self._values[key]}, {text}" if key in self._values else text

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._values!r})"


class AnswerParser:
    """The incoming side of one connection, one answer at a time.

    `feed` bytes until `complete`; `end` when the peer has closed. Then `status`, `headers` and `body()` hold
    the answer, and `reusable` says whether the connection may carry another request.
    """

    __slots__ = (
        "_announced", "_bodiless", "_parser", "_parts",
        "complete", "headers", "reusable", "started", "status",
    )  # fmt: skip

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.expect(bodiless=False)

    def expect(self, bodiless: bool) -> None:
        """Get ready for the answer to a request; `bodiless` for HEAD."""
        self._bodiless = bodiless
        self._announced = False
        self._parts: list[bytes] = []
        self.headers: HeaderList = []
        self.status = 0
        self.started = self.complete = self.reusable = False

    def feed(self, data: bytes) -> None:
        """Take in bytes. Raises Unanswered when they are not HTTP."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.complete, self.reusable = True, False
        except httptools.HttpParserError as error:
            if not self.complete:
                raise Unanswered(MALFORMED) from error
            self.reusable = False  # something came after the answer

    def end(self) -> None:
        """The peer has closed. An answer without a length of its own ends here."""
        if self.status and self._announced and not self._has_length():
            self.complete = True

    def body(self) -> bytes:
        """The content, decoded. Raises Unanswered when its coding is broken."""
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        for name, value in self.headers:
            if len(name) == 16 and name.lower() == b"content-encoding" and data:
                return _decode(data, value)
        return data

    def _has_length(self) -> bool:
        return any(
            name.lower() == b"content-length"
            or (name.lower() == b"transfer-encoding" and b"chunked" in value.lower())
            for name, value in self.headers
        )

    # called by the parser

    def on_message_begin(self) -> None:
        if self.complete:
            raise ValueError("bytes after the answer")
        self.started = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._announced = True
        if self._bodiless and self.status >= 200:
            # The parser would wait for the body that the headers announce; it cannot be told otherwise.
            self.complete, self.reusable = True, self._parser.should_keep_alive()
            self._parser = httptools.HttpResponseParser(self)

    def on_body(self, data: bytes) -> None:
        if self.complete:
            self.reusable = False  # a body after the answer to HEAD
        else:
            self._parts.append(data)

    def on_message_complete(self) -> None:
        if self.complete:
            return
        if 100 <= self.status < 200 and self.status != 101:
            self.expect(self._bodiless)  # an interim answer: the real one follows
            self.started = True
            return
        self.complete, self.reusable = True, self._parser.should_keep_alive()


def _decode(data: bytes, coding: bytes) -> bytes:
    for name in reversed(coding.lower().replace(b" ", b"").split(b",")):
        if name in (b"", b"identity"):
            continue
        if name not in _DECODERS:
            raise Unanswered(f"{MALFORMED}: unknown content coding")
        try:
            data = _inflate(data, _DECODERS[name])
        except zlib.error as error:
            raise Unanswered(f"{MALFORMED}: broken content coding") from error
    return data


def _inflate(data: bytes, window_bits: int) -> bytes:
    try:
        return zlib.decompress(data, window_bits)
    except zlib.error:
        if window_bits != 15:
            raise
        return zlib.decompress(data, _RAW_DEFLATE)  # "deflate" without zlib's envelope, as some servers send


def request_bytes(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """The whole request. Raises ValueError for a name or value that would break out of its line."""
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise ValueError("a method, path or header contains a line break")
    head = f"{text}\r\n\r\n".encode("latin-1")
    return head + body if body else head
