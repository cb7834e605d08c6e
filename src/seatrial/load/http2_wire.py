"""HTTP/2 as bytes: requests out, answers in, many at once on one connection. No sockets here.

Frames and header compression are h2's, but for one kind of frame. A server that is replaced says GOAWAY with
the last stream that it has taken on, and goes on to answer those; h2 takes the word for the end of the
connection and would fail them all. So frames are cut apart here, and GOAWAY is read here.

    last stream 7:   5 and 7 are waited for, 9 was never looked at and has failed, nothing new is begun

What fails is told per request. A server that breaks off one stream (RST_STREAM) has failed one request. One
that breaks the rules of the connection has failed all of them; but where h2 gives up a connection for what is
wrong with a single answer, the other requests on it are not the server's failures, and are marked as ours.
What h2 lets pass and no answer may be (a status that is none, content where there is none or other than was
announced) fails the answer alone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    InformationalResponseReceived,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import H2Error, TooManyStreamsError
from h2.settings import SettingCodes, Settings
from hyperframe.exceptions import HyperframeError

from seatrial.load.failure import CLOSED, CUT_SHORT, MALFORMED, TOO_LARGE, Unanswered
from seatrial.load.wire import LARGEST_CONTENT, LONGEST_HEAD, WITHOUT_CONTENT, HeaderList, content_of
from seatrial.model.ownfailure import OWN

NOT_SPOKEN = f"{MALFORMED}: not HTTP/2"
GOING_AWAY = "not processed: the server was going away"
NO_STREAMS = "not processed: the server allows no streams"
GIVEN_UP = f"{OWN}the connection was given up for another answer"

_HEAD = 9  # bytes of a frame before its content
_SETTINGS, _GOAWAY = 4, 7  # types of frames
_OF_AN_ANSWER = (0, 1, 9)  # content, headers and more of them
_STATUS = re.compile(rb"[1-9]\d\d")
_SWITCHING = b"101"
_WINDOW = (
    1 << 20
)  # bytes of one answer that may be under way; of all answers of a connection, sixteen times that
_STREAMS_LEFT = 1 << 20  # ids that are kept back: a connection ends before it runs out of them
_LAST_STREAM = (1 << 31) - 1
_PONG_WITHIN_S = 1.0
_OF_A_CONNECTION = frozenset(
    ("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te", "content-length")
)  # which an HTTP/2 request has in another form, or not at all


@dataclass(frozen=True, slots=True)
class Words:
    """A request in the words of HTTP/2."""

    head: HeaderList
    body: bytes


def words(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Words:
    """A whole request but for its scheme. Raises ValueError for a part that would break out of its place."""
    authority, fields = "", []
    for name, value in headers.items():
        lower = name.lower()
        if lower == "host":
            authority = value
        elif lower not in _OF_A_CONNECTION:
            fields.append((lower, f"{value}".strip(" \t")))
    if body is not None:
        fields.append(("content-length", str(len(body))))
    pseudo = [(":method", method), (":authority", authority), (":path", target)]
    parts = "\n".join([part for field in (*pseudo, *fields) for part in field])
    if parts.count("\n") != 2 * (len(pseudo) + len(fields)) - 1 or "\r" in parts or "\0" in parts:
        raise ValueError("a method, path or header contains a line break")
    head = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*pseudo, *fields)]
    return Words(head, body or b"")


class Answer:
    """The answer to one request, as it comes: `complete`, or `failed`, or still under way."""

    __slots__ = (
        "_announced", "_parts", "_size", "_to_head", "asked_s", "complete", "failed", "headers", "started",
        "status", "stream", "unsent", "wake",
    )  # fmt: skip

    def __init__(self, stream: int, unsent: bytes, asked_s: float, to_head: bool = False) -> None:
        self.stream = stream
        self._to_head = to_head
        self.unsent = memoryview(unsent)  # of the request's content
        self.asked_s = asked_s
        self.status = 0
        self.headers: HeaderList = []
        self.started = self.complete = False
        self.failed: Exception | None = None
        self.wake: Callable[[], None] | None = None  # whoever waits for it
        self._parts: list[bytes] = []
        self._size = 0  # of its content, and as it was announced
        self._announced: int | None = None

    def body(self) -> bytes:
        """The content, decoded. Raises Unanswered when its coding is broken."""
        return content_of(self._parts, self.headers)

    # what comes; each gives what is wrong with the answer from here on, "" for nothing

    def begins(self, headers: Iterable[Any]) -> str:
        """Its status and headers are there."""
        self.started = True
        for name, value in headers:
            if name == b":status":
                if not _STATUS.fullmatch(value):  # Python takes more for a number
                    return MALFORMED
                self.status = int(value)
            else:
                self.headers.append((name, value))
                if name == b"content-length":
                    self._announced = int(value)  # as h2 has read it, who wants several to be one
        return ""

    def announces(self, headers: Iterable[Any]) -> str:
        """An interim answer is there. There is no other protocol to switch to (9113, 8.6)."""
        self.started = True
        return MALFORMED if (b":status", _SWITCHING) in headers else ""

    def goes_on(self, data: bytes) -> str:
        """A piece of its content is there."""
        self._parts.append(data)
        self._size += len(data)
        if self._size > LARGEST_CONTENT:
            return TOO_LARGE
        return MALFORMED if self._size and self.status in WITHOUT_CONTENT else ""

    def ends(self) -> str:
        """Nothing more comes. h2 compares lengths only where there was content (9113, 8.1.1)."""
        short = bool(self._announced) and self._size != self._announced
        self.complete = not short or self._to_head or self.status in WITHOUT_CONTENT
        return "" if self.complete else MALFORMED


class Http2Wire:
    """Both sides of one connection, as a client sees it.

    `feed` bytes as they come, `output` is what has to be sent. `changed` are the answers whose waiter has
    something to do; whoever wakes it empties the list.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._h2 = H2Connection(
            H2Configuration(
                client_side=True,
                header_encoding=None,
                validate_outbound_headers=False,  # `words` has done both
                normalize_outbound_headers=False,
            )
        )
        self._received = b""
        self._open: dict[int, Answer] = {}
        self.changed: list[Answer] = []
        self._heard_s = -1.0
        self._asked_whether_alive_s: float | None = None
        self.is_settled = False  # the peer has said what it allows
        self.is_going_away = False  # nothing new is begun
        self._begin()

    def _begin(self) -> None:
        self._h2.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: LONGEST_HEAD,
            },
        )
        self._h2.decoder.max_header_list_size = LONGEST_HEAD
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(16 * _WINDOW)

    @property
    def has_room(self) -> bool:
        """Whether one more request may be begun now.

        Not before the peer has said how many it allows: until then a connection is its first request's.
        """
        return (
            self.is_settled
            and not self.is_going_away
            and len(self._open) < self._h2.remote_settings.max_concurrent_streams
            and (
                self._asked_whether_alive_s is None
                or self._clock() - self._asked_whether_alive_s < _PONG_WITHIN_S
            )
        )

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return not self._open

    def output(self) -> bytes:
        """What has to be sent now."""
        return self._h2.data_to_send() or b""

    # requests

    def ask(self, request: Words, scheme: bytes) -> Answer:
        """Begin a request. As much of its content goes out as the peer takes now; see `go_on`.

        Raises Unanswered when the peer allows none at all.
        """
        stream = self._h2.get_next_available_stream_id()
        if stream > _LAST_STREAM - _STREAMS_LEFT:
            self.is_going_away = True
        answer = Answer(stream, request.body, self._clock(), (b":method", b"HEAD") in request.head)
        head = [(b":scheme", scheme), *request.head]
        try:
            self._h2.send_headers(stream, head, end_stream=not request.body)
        except TooManyStreamsError as error:
            raise Unanswered(NO_STREAMS) from error
        self._open[stream] = answer
        if request.body:
            self.go_on(answer)
        return answer

    def go_on(self, answer: Answer) -> None:
        """Send what the windows let through of the request's content."""
        while answer.unsent and answer.stream in self._open:
            window = self._h2.local_flow_control_window(answer.stream)
            size = min(window, self._h2.max_outbound_frame_size, len(answer.unsent))
            if size <= 0:
                return
            piece, answer.unsent = bytes(answer.unsent[:size]), answer.unsent[size:]
            self._h2.send_data(answer.stream, piece, end_stream=not answer.unsent)

    def cancel(self, answer: Answer) -> None:
        """Nobody waits for it any more. The connection goes on.

        If the peer has said nothing at all meanwhile it is asked whether it is still there (PING): one that
        does not say so either gets nothing new.
        """
        if self._open.pop(answer.stream, None) is None:
            return
        self._h2.reset_stream(answer.stream, ErrorCodes.CANCEL)
        if self._heard_s <= answer.asked_s and self._asked_whether_alive_s is None:
            self._asked_whether_alive_s = self._clock()
            self._h2.ping(b"seatrial")

    def leave(self) -> None:
        """Say that nothing more comes."""
        self.is_going_away = True
        self._h2.close_connection()

    # answers

    def feed(self, data: bytes) -> None:
        """Take in bytes. Raises Unanswered when the connection is at its end; `fail` then tells the rest."""
        self._heard_s = self._clock()
        received, at = self._received + data, 0
        while (size := self._frame_at(received, at)) is not None:
            frame, at = received[at : at + size], at + size
            stream = int.from_bytes(frame[5:9]) & _LAST_STREAM
            if frame[3] == _GOAWAY and stream == 0:
                self._hear_goaway(frame[_HEAD:])
                continue
            try:
                for event in self._h2.receive_data(frame):
                    self._hear(event)
            except (H2Error, HyperframeError, ValueError) as error:
                raise self._broken(stream if frame[3] in _OF_AN_ANSWER else 0) from error
        self._received = received[at:]

    def fail(self, error: Exception) -> None:
        """The connection is at its end: what is under way has failed, by `error`."""
        for answer in self._open.values():
            answer.failed = error
        self.changed += self._open.values()
        self._open = {}

    def end(self) -> None:
        """The peer has closed: what is under way has failed as it stands."""
        for answer in self._open.values():
            answer.failed = Unanswered(CUT_SHORT if answer.started else CLOSED)
        self.changed += self._open.values()
        self._open = {}

    def _frame_at(self, received: bytes, at: int) -> int | None:
        """The size of the frame that begins there, with its head; None when it is not there whole."""
        if not self.is_settled and not _may_be_settings(received[at : at + _HEAD]):
            raise Unanswered(NOT_SPOKEN)
        if len(received) - at < _HEAD:
            return None
        size = int.from_bytes(received[at : at + 3])
        if size > self._h2.max_inbound_frame_size:
            raise Unanswered(MALFORMED)
        return _HEAD + size if len(received) - at >= _HEAD + size else None

    def _hear_goaway(self, content: bytes) -> None:
        if len(content) < 8:
            raise Unanswered(MALFORMED)
        self.is_going_away = True
        last, code = int.from_bytes(content[:4]) & _LAST_STREAM, int.from_bytes(content[4:8])
        for answer in [each for each in self._open.values() if each.stream > last]:
            self._failed(answer, GOING_AWAY + (f" ({_name_of(code)})" if code else ""))

    def _hear(self, event: Any) -> None:
        stream = getattr(event, "stream_id", None)
        answer = self._open.get(stream) if stream else None
        if isinstance(event, DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
        if answer is not None:
            self._hear_of(answer, event)
        elif isinstance(event, PingAckReceived):
            self._asked_whether_alive_s = None
        elif isinstance(event, RemoteSettingsChanged | WindowUpdated):
            self.is_settled = True
            self.changed += [each for each in self._open.values() if each.unsent]

    def _hear_of(self, answer: Answer, event: Any) -> None:
        wrong = ""
        if isinstance(event, DataReceived):
            wrong = answer.goes_on(event.data or b"")
        elif isinstance(event, ResponseReceived):
            wrong = answer.begins(event.headers or ())
        elif isinstance(event, TrailersReceived):
            answer.headers += event.headers or ()
        elif isinstance(event, InformationalResponseReceived):
            wrong = answer.announces(event.headers or ())
        elif isinstance(event, StreamEnded):
            wrong = answer.ends()
            if answer.complete:
                self._complete(answer)
        elif isinstance(event, StreamReset):
            self._failed(answer, f"stream reset: {_name_of(int(event.error_code or 0))}")
        elif isinstance(event, WindowUpdated) and answer.unsent:
            self.changed.append(answer)
        if wrong:
            self._refuse(answer, wrong, event)

    def _refuse(self, answer: Answer, why: str, event: Any) -> None:
        """It is none that may be. The connection goes on."""
        self._failed(answer, why)
        is_over = isinstance(event, StreamEnded) or getattr(event, "stream_ended", None) is not None
        if answer.unsent or not is_over:
            self._h2.reset_stream(answer.stream, ErrorCodes.CANCEL)

    def _complete(self, answer: Answer) -> None:
        del self._open[answer.stream]
        self.changed.append(answer)
        if answer.unsent:  # answered before it was asked in full: the rest is of no interest (9113, 8.1)
            answer.unsent = memoryview(b"")
            self._h2.reset_stream(answer.stream, ErrorCodes.CANCEL)

    def _failed(self, answer: Answer, why: str) -> None:
        del self._open[answer.stream]
        answer.failed = Unanswered(why)
        self.changed.append(answer)

    def _broken(self, stream: int) -> Unanswered:
        """Something is wrong with a frame: of one answer, or of the whole connection."""
        if stream not in self._open:
            return Unanswered(MALFORMED)
        self._failed(self._open[stream], MALFORMED)
        return Unanswered(GIVEN_UP)


def _may_be_settings(received: bytes) -> bool:
    """Whether a connection may begin so: with a frame of settings, which is never long."""
    return received[:1] in (b"", b"\0") and received[3:4] in (b"", bytes([_SETTINGS]))


def _name_of(code: int) -> str:
    """An error code of HTTP/2 in words: `refused stream`."""
    try:
        return ErrorCodes(code).name.lower().replace("_", " ")
    except ValueError:
        return f"code {code}"
