"""The server's side of an HTTP/2 connection, in memory: what a client sends goes in, what it reads comes out."""

from __future__ import annotations

from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    PingReceived,
    RequestReceived,
    SettingsAcknowledged,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame
from tests.support.fake_socket import FakeSocket


class Http2Peer:
    """Answers when it is told to. `asked` are the streams in the order in which their requests were whole."""

    def __init__(self, most_streams: int = 100, window: int = 65535) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: most_streams,
                SettingCodes.INITIAL_WINDOW_SIZE: window,
            },
        )
        self.h2.initiate_connection()
        self._out = b""
        self.asked: list[int] = []
        self.heads: dict[int, dict[str, str]] = {}
        self.bodies: dict[int, bytes] = {}
        self.resets: dict[int, int] = {}
        self.pings = 0
        self.is_known = False  # the client has read what it allows

    def take(self, data: bytes) -> None:
        """What the client has sent."""
        for event in self.h2.receive_data(data):
            self._heard(event)

    def _heard(self, event: Any) -> None:
        if isinstance(event, RequestReceived):
            self.heads[event.stream_id] = dict(event.headers)  # type: ignore[arg-type]
            self.bodies[event.stream_id] = b""
        elif isinstance(event, DataReceived):
            self.bodies[event.stream_id] += event.data or b""
            self.h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
        elif isinstance(event, StreamEnded):
            self.asked.append(event.stream_id)
        elif isinstance(event, StreamReset):
            self.resets[event.stream_id] = int(event.error_code or 0)
        elif isinstance(event, PingReceived):
            self.pings += 1
        elif isinstance(event, SettingsAcknowledged):
            self.is_known = True

    def answer(self, stream: int, body: bytes = b"aye", status: int = 200, **headers: str) -> None:
        """Answer a request whole."""
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.h2.send_headers(stream, [(":status", str(status)), *named], end_stream=not body)
        if body:
            self.h2.send_data(stream, body, end_stream=True)

    def go_away(self, last: int, code: int = 0) -> None:
        """Say that requests above `last` are not looked at, and go on with the others, as real servers do."""
        self._out += self.h2.data_to_send() or b""
        self._out += GoAwayFrame(last_stream_id=last, error_code=code).serialize()

    def output(self) -> bytes:
        """What the client is to read."""
        out, self._out = self._out + (self.h2.data_to_send() or b""), b""
        return out


class PeeredSocket(FakeSocket):
    """A socket with such a peer at its other end. It speaks when it is told to (`flush`)."""

    def __init__(self, peer: Http2Peer | None = None, takes: list[int | None] | None = None) -> None:
        super().__init__(takes=takes)
        self.peer = peer or Http2Peer()

    def send(self, data: memoryview | bytes) -> int:
        size = super().send(data)
        self.peer.take(bytes(data[:size]))
        return size

    def flush(self) -> None:
        """What the peer has to say arrives."""
        if out := self.peer.output():
            self.say(out)
