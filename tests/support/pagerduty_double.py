"""A stateful stand-in for PagerDuty on loopback, as wrong as the real one can be.

It validates events as documented, folds them by (routing key, dedup key), keeps the state machine of an
alert, limits the rate over a sliding window, and misbehaves as told: 5xx, a connection that is reset before
or after the event was taken, an answer that never comes, an answer that makes no sense. What it *took* is in
`alerts`, in the order in which it took it.

    no alert ──trigger──► triggered ──acknowledge──► acknowledged
                            │  ▲ trigger: a log entry     │
                            └──────────resolve────────────┴──► resolved ──trigger──► a new alert
"""

from __future__ import annotations

import json
import random
import re
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

SEVERITIES = ("critical", "error", "warning", "info")
ROUTING_KEY = "0123456789abcdef0123456789abcdef"
ESCALATION_KEY = "fedcba9876543210fedcba9876543210"
TOKEN = "a-rest-token"


class Trouble(Enum):
    """A way to misbehave."""

    NONE = auto()
    SERVER_ERROR = auto()  # 500, 502, 503 or 504; nothing is taken
    RESET_BEFORE = auto()  # connection reset; nothing is taken
    RESET_AFTER = auto()  # the event is taken, then the connection is reset
    HANG_AFTER = auto()  # the event is taken, and no answer comes
    HANG_BEFORE = auto()  # nothing is taken, and no answer comes
    NONSENSE = auto()  # the event is taken; the answer is not what it should be
    RATE_LIMIT = auto()  # 429 with Retry-After; nothing is taken


@dataclass
class Alert:
    """One alert, from its first trigger to its resolve."""

    routing_key: str
    dedup_key: str
    status: str = "triggered"
    log: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    created_at: str = field(
        default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    )

    @property
    def id(self) -> str:
        """As the REST API calls it."""
        return f"Q{abs(hash((self.routing_key, self.dedup_key, id(self)))):X}"[:14]


class PagerDutyDouble:
    """Start it with `with PagerDutyDouble() as double:`; it listens on a free port of 127.0.0.1."""

    def __init__(
        self,
        trouble: Callable[[], Trouble] = lambda: Trouble.NONE,
        most_a_window: int = 120,
        window_s: float = 60.0,
        hang_s: float = 5.0,
        retry_after_s: str | None = None,
    ) -> None:
        self.trouble = trouble
        self.hang_s = hang_s
        self.retry_after_s = retry_after_s
        self.alerts: list[Alert] = []
        self.changes: list[dict[str, Any]] = []
        self.dropped: list[dict[str, Any]] = []  # acknowledge or resolve with no open alert
        self.rejected: list[tuple[int, Any]] = []  # status, body
        self.requests = 0
        self._most_a_window = most_a_window
        self._window_s = window_s
        self._taken: dict[str, deque[float]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Base address of both APIs."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> PagerDutyDouble:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def open(self, dedup_key: str, routing_key: str = ROUTING_KEY) -> Alert | None:
        """The open alert of a key."""
        for alert in reversed(self.alerts):
            if (alert.routing_key, alert.dedup_key) == (routing_key, dedup_key):
                return alert if alert.status != "resolved" else None
        return None

    def acknowledge(self, dedup_key: str) -> None:
        """What a person does."""
        with self._lock:
            alert = self.open(dedup_key)
            assert alert is not None
            alert.status = "acknowledged"

    # What follows is called by request handlers, one thread each.

    def hang(self) -> None:
        """Wait as long as a hang lasts, or until the end."""
        self._stopping.wait(self.hang_s)

    def enqueue(self, event: Any) -> tuple[int, dict[str, Any]]:
        """POST /v2/enqueue."""
        with self._lock:
            problems = _problems(event)
            if problems:
                return self._reject(event, problems)
            if not self._within_rate(event["routing_key"]):
                return 429, {"status": "throttle exceeded", "message": "Event not created due to rate limits"}
            self._take(event)
            answer = {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}
            return 202, answer

    def enqueue_change(self, event: Any) -> tuple[int, dict[str, Any]]:
        """POST /v2/change/enqueue."""
        with self._lock:
            problems = _routing_problems(event)
            payload = event.get("payload") if isinstance(event, dict) else None
            if not problems and not (isinstance(payload, dict) and payload.get("summary")):
                problems = ["'payload.summary' is missing or blank"]
            if problems:
                return self._reject(event, problems)
            if not self._within_rate(event["routing_key"]):
                return 429, {"status": "throttle exceeded"}
            self.changes.append(event)
            return 202, {"status": "success", "message": "Change event processed"}

    def incidents(self, query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """GET /incidents."""
        wanted = query.get("incident_key")
        statuses = query.get("statuses[]", ["triggered", "acknowledged", "resolved"])
        with self._lock:
            found = [
                {
                    "id": alert.id,
                    "status": alert.status,
                    "incident_key": alert.dedup_key,
                    "title": alert.log[0].get("payload", {}).get("summary", ""),
                    "created_at": alert.created_at,
                    "urgency": "high",
                    "service": {"id": "P1A2B3C", "summary": "shop"},
                    "first_trigger_log_entry": {
                        "channel": {"details": alert.log[0].get("payload", {}).get("custom_details", {})}
                    },
                }
                for alert in self.alerts
                if (wanted is None or alert.dedup_key == wanted[0]) and alert.status in statuses
            ]
        return 200, {"incidents": found, "more": False, "limit": 25, "offset": 0}

    def note(self, incident: str, body: Any) -> tuple[int, dict[str, Any]]:
        """POST /incidents/{id}/notes."""
        with self._lock:
            alert = next((each for each in self.alerts if each.id == incident), None)
            if alert is None:
                return 404, {"error": {"message": "Not Found", "code": 2100}}
            alert.notes.append(body["note"]["content"])
            return 201, {"note": {"id": f"N{len(alert.notes)}", **body["note"]}}

    def _reject(self, event: Any, problems: list[str]) -> tuple[int, dict[str, Any]]:
        answer = {"status": "invalid event", "message": "Event object is invalid", "errors": problems}
        self.rejected.append((400, event))
        return 400, answer

    def _within_rate(self, key: str) -> bool:
        taken = self._taken.setdefault(key, deque())
        now = time.monotonic()
        while taken and taken[0] <= now - self._window_s:
            taken.popleft()
        if len(taken) >= self._most_a_window:
            return False
        taken.append(now)
        return True

    def _take(self, event: dict[str, Any]) -> None:
        event.setdefault("dedup_key", f"{random.getrandbits(128):032x}")
        current = self.open(event["dedup_key"], event["routing_key"])
        action = event["event_action"]
        if action == "trigger" and current is None:
            self.alerts.append(Alert(event["routing_key"], event["dedup_key"], log=[event]))
        elif current is None:
            self.dropped.append(event)
        else:
            current.log.append(event)
            if action != "trigger":
                current.status = {"acknowledge": "acknowledged", "resolve": "resolved"}[action]


def seeded_trouble(
    seed: int, share: float, kinds: tuple[Trouble, ...] = tuple(Trouble)
) -> Callable[[], Trouble]:
    """Misbehave in `share` of all requests, each time in a way drawn from `kinds`."""
    draw = random.Random(seed)
    lock = threading.Lock()
    bad = [kind for kind in kinds if kind is not Trouble.NONE]

    def next_trouble() -> Trouble:
        with lock:
            return draw.choice(bad) if draw.random() < share else Trouble.NONE

    return next_trouble


def _routing_problems(event: Any) -> list[str]:
    if not isinstance(event, dict):
        return ["Event object is not a JSON object"]
    key = event.get("routing_key")
    if not isinstance(key, str) or len(key) != 32:
        return ["Length of 'routing_key' is incorrect (should be 32 characters)"]
    return [] if key in (ROUTING_KEY, ESCALATION_KEY) else ["'routing_key' belongs to no integration"]


def _problems(event: Any) -> list[str]:
    """As the Events API v2 documents them."""
    problems = _routing_problems(event)
    if problems:
        return problems
    action = event.get("event_action")
    if action not in ("trigger", "acknowledge", "resolve"):
        problems.append("'event_action' is missing or invalid")
    dedup_key = event.get("dedup_key")
    if dedup_key is not None and (not isinstance(dedup_key, str) or len(dedup_key) > 255):
        problems.append("'dedup_key' is longer than 255 characters")
    if action in ("acknowledge", "resolve") and not dedup_key:
        problems.append("'dedup_key' is missing or blank")
    if action == "trigger":
        problems += _payload_problems(event.get("payload"))
    problems += ["'links.href' is missing" for link in event.get("links") or [] if not link.get("href")]
    for image in event.get("images") or []:
        if not str(image.get("src", "")).startswith("https://"):
            problems.append("'images.src' must be https")
    return problems


def _payload_problems(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    problems = [
        f"'payload.{name}' is missing or blank" for name in ("summary", "source") if not payload.get(name)
    ]
    if len(str(payload.get("summary", ""))) > 1024:
        problems.append("'payload.summary' is longer than 1024 characters")
    if payload.get("severity") not in SEVERITIES:
        problems.append("'payload.severity' is invalid (must be one of critical, warning, error or info)")
    return problems


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, double: PagerDutyDouble) -> None:
        self.double = double
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients are killed in mid-request here; that is what is being tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def double(self) -> PagerDutyDouble:
        assert isinstance(self.server, _Server)
        return self.server.double

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Quiet."""

    def do_GET(self) -> None:
        if not self._authorised():
            return self._answer(401, {"error": {"message": "Unauthorized"}})
        parts = urlsplit(self.path)
        if parts.path == "/incidents":
            return self._answer(*self.double.incidents(parse_qs(parts.query)))
        return self._answer(404, {"error": {"message": "Not Found"}})

    def do_POST(self) -> None:
        self.double.requests += 1
        length = int(self.headers.get("Content-Length", 0))
        raw = self.rfile.read(length)
        trouble = self.double.trouble()
        if self._refuses_before(trouble):
            return None
        status, answer = self._take(raw, length)
        return self._reply_after(trouble, status, answer)

    def _take(self, raw: bytes, length: int) -> tuple[int, dict[str, Any]]:
        if length > 512 * 1024:
            return 413, {"message": "Payload too large"}
        try:
            body = json.loads(raw)
        except ValueError:
            return 400, {"status": "invalid event", "message": "not JSON", "errors": []}
        note = re.fullmatch(r"/incidents/(\w+)/notes", self.path)
        if note and not self._authorised():
            return 401, {"error": {"message": "Unauthorized"}}
        if note:
            return self.double.note(note[1], body)
        return (
            self.double.enqueue_change(body)
            if self.path == "/v2/change/enqueue"
            else self.double.enqueue(body)
        )

    def _refuses_before(self, trouble: Trouble) -> bool:
        if trouble is Trouble.SERVER_ERROR:
            self._answer(random.choice([500, 502, 503, 504]), {"message": "trouble"})
        elif trouble is Trouble.RATE_LIMIT:
            self._answer(429, {"status": "throttle exceeded"})
        elif trouble is Trouble.RESET_BEFORE:
            self._reset()
        elif trouble is Trouble.HANG_BEFORE:
            self.double.hang()
            self._reset()
        else:
            return False
        return True

    def _reply_after(self, trouble: Trouble, status: int, answer: dict[str, Any]) -> None:
        if trouble is Trouble.RESET_AFTER:
            return self._reset()
        if trouble is Trouble.HANG_AFTER:
            self.double.hang()
            return self._reset()
        if trouble is Trouble.NONSENSE:
            return self._answer(status, {"what": "is this"})
        return self._answer(status, answer)

    def _authorised(self) -> bool:
        return self.headers.get("Authorization", "") == f"Token token={TOKEN}"

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        if status == 429 and self.double.retry_after_s is not None:
            self.send_header("Retry-After", self.double.retry_after_s)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
