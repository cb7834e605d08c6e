"""A service whose capacity is known: a token bucket answers 200 while it has tokens, and 503 at once else.

    python -m tests.support.token_bucket RATE BURST        prints the port that it listens on

It is quick about both, so it never becomes slow: what breaks at its limit is the share of errors alone. Time
is the monotonic clock's, and the bucket is refilled at each request by what has passed since the last.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

_GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nfull"


class Bucket:
    """`per_s` tokens a second, `burst` of them at the most."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._tokens = burst
        self._at_s = time.monotonic()

    def take(self) -> bool:
        """Whether there was a token."""
        now_s = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Connection(asyncio.Protocol):
    """Answers requests without a body."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._heard = (self._heard + data).split(b"\r\n\r\n")
        for _ in requests:
            self._transport.write(_GOOD if self._bucket.take() else _FULL)


@contextmanager
def serving(per_s: float, burst: float) -> Iterator[str]:
    """The address of one, in a process of its own."""
    command = [sys.executable, "-m", "tests.support.token_bucket", str(per_s), str(burst)]
    with Popen(command, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


async def _serve(per_s: float, burst: float) -> None:
    bucket = Bucket(per_s, burst)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(bucket), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  # whoever started it reads it
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), float(sys.argv[2])))
