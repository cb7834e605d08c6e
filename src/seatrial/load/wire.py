"""HTTP/1.1 as bytes: requests out, answers in. No sockets here.

Parsing is llhttp's (by way of httptools), one parser a connection: a fresh one for each answer would cost as
much as reading the answer. It is strict, as servers must be; a client has to take what RFC 9112 allows in an
answer and real servers send. A head that it refuses is therefore read once more in plain form: `plain_head`.

Most heads that a service sends are, byte for byte, one that it has sent before. What has been parsed once is
then known, and so is where the answer ends: parsing it again, with a call back for each header, would take a
quarter of what the whole exchange does.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httptools

from seatrial.load.failure import MALFORMED, TOO_LARGE, Unanswered

_DECODERS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}  # zlib's window bits; 31 expects gzip's envelope
_RAW_DEFLATE = -15
_MOST_INFLATED = 1032  # bytes that one of zlib's may become

_STATUS_LINE = re.compile(rb"(?:\r?\n)*HTTP/1\.[01] (\d\d\d)")  # llhttp takes RTSP's as well, and HTTP/2.0
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_FOLD = re.compile(rb"[ \t]*\n[ \t]+")
LONGEST_HEAD = 1 << 18  # bytes
LARGEST_CONTENT = 1 << 28  # bytes of one answer, as they come or decoded: it is held whole
_CODING = b"transfer-encoding"
_MOST_INTERIM = 100  # answers before the real one
SWITCHING = 101  # to another protocol: the last of this one, whatever its number says
WITHOUT_CONTENT = frozenset((204, 304))
_MOST_KNOWN, _LONGEST_KNOWN = 256, 2048  # heads, and bytes of each

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


@dataclass(frozen=True, slots=True)
class _Head:
    """One that has been parsed, of an answer after which the connection went on."""

    status: int
    headers: HeaderList
    size: int  # of the content that came with it, as the head had said


_KNOWN: dict[bytes, _Head] = {}


class AnswerParser:
    """The incoming side of one connection, one answer at a time.

    `feed` bytes until `complete`; `end` when the peer has closed. Then `status`, `headers` and `body()` hold
    the answer, and `reusable` says whether the connection may carry another request.
    """

    __slots__ = (
        "_ambiguous", "_announced", "_bodiless", "_interim", "_parser", "_parts", "_received",
        "complete", "headers", "reusable", "started", "status",
    )  # fmt: skip

    def __init__(self) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self.expect(bodiless=False)

    def expect(self, bodiless: bool) -> None:
        """Get ready for the answer to a request; `bodiless` for HEAD."""
        self._received = b""  # up to the end of the head, with what came in the same piece
        self._ambiguous = False
        self._interim = 0
        self._await_head(bodiless)

    def _await_head(self, bodiless: bool) -> None:
        self._bodiless = bodiless
        self._announced = False
        self._parts: list[bytes] = []
        self.headers: HeaderList = []
        self.status = 0
        self.started = self.complete = self.reusable = False

    def feed(self, data: bytes) -> None:
        """Take in bytes. Raises Unanswered when they are not HTTP."""
        if self.started or self._received or self._bodiless:
            self._parse(data)
            return
        head, _, content = data.partition(b"\r\n\r\n")
        known = _KNOWN.get(head)
        if known is not None and known.size == len(content):
            self.status, self.headers, self._parts = known.status, known.headers.copy(), [content]
            self.started = self.complete = self.reusable = True
            return
        self._parse(data)
        if self.reusable and len(head) <= _LONGEST_KNOWN and b"".join(self._parts) == content:
            if len(_KNOWN) >= _MOST_KNOWN:
                _KNOWN.clear()
            _KNOWN[head] = _Head(self.status, self.headers.copy(), len(content))

    def _parse(self, data: bytes) -> None:
        if not self._announced:
            if len(self._received) > LONGEST_HEAD:
                raise Unanswered(f"{MALFORMED}: a head without an end")
            self._received += data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.complete, self.reusable = True, False
        except httptools.HttpParserError as error:
            if self._interim > _MOST_INTERIM:
                raise Unanswered(f"{MALFORMED}: interim answers without an end") from error
            if self.complete:
                self.reusable = False  # something came after the answer
            elif isinstance(error.__context__, Unanswered):
                raise error.__context__ from None
            elif self._announced or not self._read_plainly():
                raise Unanswered(MALFORMED) from error

    def _read_plainly(self) -> bool:
        """Read a refused head once more in plain form; False when that makes no difference."""
        received = self._received
        if not _STATUS_LINE.match(received):
            return False
        plain, ambiguous = plain_heads(received)
        if plain is None:
            return len(received) < LONGEST_HEAD  # its end is still to come
        if plain == received:
            return False
        self._parser = httptools.HttpResponseParser(self)
        self.expect(self._bodiless)
        self._ambiguous = ambiguous
        self._parse(plain)
        return True

    def end(self) -> None:
        """The peer has closed. An answer without a length of its own ends here."""
        if self.status >= 100 and self._announced and not self._has_length():
            self.complete = True

    def close(self) -> None:
        """No further answer is expected. This and its parser hold each other, as long as nobody lets go."""
        self._parser = None

    def body(self) -> bytes:
        """The content, decoded. Raises Unanswered when its coding is broken."""
        return content_of(self._parts, self.headers)

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
        received = self._received
        if not (received.startswith(b"HTTP/1.1 ") or _STATUS_LINE.match(received)):
            raise ValueError("another protocol")
        codings = [value for name, value in self.headers if len(name) == 17 and name.lower() == _CODING]
        if codings or self.status == 204:
            self._judge_framing(codings)
        if self._bodiless and self.status >= 200:
            # The parser would wait for the body that the headers announce; it cannot be told otherwise.
            self.complete, self.reusable = True, self._may_go_on()
            self._parser = httptools.HttpResponseParser(self)

    def _judge_framing(self, codings: list[bytes]) -> None:
        """Raises Unanswered for a coding of the transfer that nobody has asked for, nor undoes here.

        What must not be (RFC 9112, 6.1 and 6.3) and leaves no doubt what the answer is makes doubtful where
        it ends: nothing more is asked on this connection.
        """
        has_content = not self._bodiless and self.status >= 200 and self.status not in WITHOUT_CONTENT
        if has_content and b",".join(codings).strip().lower() != b"chunked":
            raise Unanswered(f"{MALFORMED}: unknown transfer coding")
        announces = any(
            name.lower() == b"content-length" and value.strip(b" 0") for name, value in self.headers
        )
        if (self.status == 204 and (codings or announces)) or self._parser.get_http_version() == "1.0":
            self._ambiguous = True

    def on_body(self, data: bytes) -> None:
        if self.complete:
            self.reusable = False  # a body after the answer to HEAD
        else:
            self._parts.append(data)

    def on_message_complete(self) -> None:
        if self.complete:
            return
        if self.status < 200 and self.status != SWITCHING:
            self._interim += 1
            if self.status < 100 or self._interim > _MOST_INTERIM:
                raise ValueError("no status, or interim answers without an end")
            self._await_head(self._bodiless)  # an interim answer: the real one follows
            self.started = True
            return
        self.complete, self.reusable = True, self._may_go_on()

    def _may_go_on(self) -> bool:
        return bool(self._parser.should_keep_alive()) and not self._ambiguous


def content_of(parts: list[bytes], headers: HeaderList) -> bytes:
    """An answer's content from its pieces, decoded. Raises Unanswered when its coding is broken."""
    data = parts[0] if len(parts) == 1 else b"".join(parts)
    for name, value in headers:
        if len(name) == 16 and name.lower() == b"content-encoding" and data:
            return _decode(data, value)
    return data


def plain_heads(received: bytes) -> tuple[bytes | None, bool]:
    """An answer with its head, and those of interim answers before it, in plain form.

    Of an interim answer that is its status: of a "close" in it the parser would think that it held at once.
    None while a head is not complete. The second value: see `plain_head`.
    """
    plain = b""
    while (end := _END_OF_HEAD.search(received)) is not None:
        head, received = received[: end.end()], received[end.end() :]
        status = _STATUS_LINE.match(head)
        text, ambiguous = plain_head(head)
        if status is None or not status[1].startswith(b"1") or int(status[1]) == SWITCHING:
            return plain + text + received, ambiguous
        plain += text.partition(b"\r\n")[0] + b"\r\n\r\n"
    return None, False


def plain_head(head: bytes) -> tuple[bytes, bool]:
    """A head as a strict parser reads it, and whether its length was told in two ways.

    RFC 9112: a folded line is one (5.2), LF alone ends a line as well (2.2), chunks override Content-Length,
    after which the connection is of no more use (6.3). RFC 9110, 8.6: Content-Lengths that agree, in several
    lines or in one with commas, are one. Those that differ are left as they are: malformed.
    """
    status, _, rest = head.strip(b"\r\n").replace(b"\r\n", b"\n").partition(b"\n")
    lines = _FOLD.sub(b" ", rest).split(b"\n") if rest else []
    fields = [(line.partition(b":")[0].lower(), line) for line in lines]
    lengths = [line.partition(b":")[2] for name, line in fields if name == b"content-length"]
    values = {value.strip(b" \t") for value in b",".join(lengths).split(b",")}
    chunked = any(name == b"transfer-encoding" and b"chunked" in line.lower() for name, line in fields)
    if lengths and (chunked or len(values) == 1):
        fields = [field for field in fields if field[0] != b"content-length"]
        if not chunked:
            fields.append((b"content-length", b"Content-Length: " + values.pop()))
    return b"\r\n".join([status, *(line for _, line in fields), b"", b""]), bool(lengths and chunked)


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
    is_harmless = len(data) <= LARGEST_CONTENT // _MOST_INFLATED
    inflate = zlib.decompress if is_harmless else _inflated_within
    try:
        return inflate(data, window_bits)
    except zlib.error:
        if window_bits != 15:
            raise
        return inflate(data, _RAW_DEFLATE)  # "deflate" without zlib's envelope, as some servers send


def _inflated_within(data: bytes, window_bits: int) -> bytes:
    inflating = zlib.decompressobj(window_bits)
    content = inflating.decompress(data, LARGEST_CONTENT)
    if not inflating.eof:
        if len(content) >= LARGEST_CONTENT:
            raise Unanswered(TOO_LARGE)
        raise zlib.error("it ends early")
    return content


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
