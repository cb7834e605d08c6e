"""Callers of a WebSocket service that gives every message back: each arrival opens a connection of its own.

    locust -f loadtests/protocols/websocket_echo.py --host http://127.0.0.1:9000 --rate 100/s

The environment, or `variables:` of the target, says where it is: WEBSOCKET_URL=ws://127.0.0.1:9001/chat.

Who calls anew each time meets an outage when it happens. Who keeps a connection for many arrivals has to read
from it in between as well, because the service's pings want an answer.
"""

from __future__ import annotations

import os

import websocket
from locust import task

from seatrial.load import ProtocolUser

URL = os.environ["WEBSOCKET_URL"]
MESSAGES = 2  # of one call


class Caller(ProtocolUser):
    """Somebody who calls, says a few things, and hangs up."""

    @task
    def call(self) -> None:
        """Open, say, hear, close."""
        with self.measure("connect"):
            line = websocket.create_connection(URL)
        try:
            for number in range(MESSAGES):
                self.say(line, f"message {number}")
        finally:
            line.close(timeout=0)  # says that it goes, and does not wait for the answer

    def say(self, line: websocket.WebSocket, text: str) -> None:
        """Send a message, and hear the answer."""
        with self.measure("echo") as m:
            line.send(text)
            if line.recv() != text:
                m.failure("another text came back")
