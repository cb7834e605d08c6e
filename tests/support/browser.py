"""The Chromium of this machine, without a window, by its DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websocket

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
_WITHIN_S = 60.0


class Browser:
    """One tab. `complaints`: what the pages, their policies among it, have complained of."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, timeout=_WITHIN_S, suppress_origin=True)
        self._numbers = itertools.count(1)
        self._session = ""
        self._events: list[str] = []
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        number = next(self._numbers)
        asked = {"id": number, "method": method, "params": parameters}
        self._socket.send(json.dumps({**asked, "sessionId": self._session} if self._session else asked))
        while True:
            told = self._hear()
            if told.get("id") == number:
                assert "error" not in told, (method, told["error"])
                return dict(told["result"])

    def open(self, url: str) -> None:
        """Go to a page, until it is loaded."""
        self._events.clear()
        self.call("Page.navigate", url=url)
        self._await_load()

    def follow(self, script: str) -> None:
        """Do something that leads to another page, until that is loaded."""
        self._events.clear()
        self.run(f"{script}; undefined")
        self._await_load()

    def _await_load(self) -> None:
        ends = time.monotonic() + _WITHIN_S
        while "Page.loadEventFired" not in self._events:
            assert time.monotonic() < ends, "the page was not loaded"
            self._hear()

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited."""
        told = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def appear(self, width: int, theme: str) -> None:
        """As wide as that, in a theme that the system prefers."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        prefers = [{"name": "prefers-color-scheme", "value": theme}]
        self.call("Emulation.setEmulatedMedia", features=prefers)

    def picture(self, file: Path) -> None:
        """The whole page as PNG."""
        told = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(told["data"]))

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _hear(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self._socket.recv())
        self._events.append(told.get("method", ""))
        if told.get("method") == "Log.entryAdded" and told["params"]["entry"]["level"] == "error":
            self.complaints.append(told["params"]["entry"]["text"])
        if told.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told["params"]["exceptionDetails"]))
        return told


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, gone afterwards."""
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--hide-scrollbars", "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as chromium:
        try:
            assert chromium.stderr is not None
            found = (re.search(r"ws://\S+", line) for line in chromium.stderr)
            opened = Browser(next(address[0] for address in found if address))
            try:
                yield opened
            finally:
                opened.call("Browser.close")
                opened.close()
                chromium.wait(20)
        finally:
            chromium.kill()
