"""Who may act: whoever shows the token, which is changed for a session that a browser keeps in a cookie.

The token is compared in a time that does not depend on it, and is not kept: its digest is. Sessions are kept
in memory, as digests as well; after a restart one signs in again, and nothing else is lost.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import stat
import threading
import time
from pathlib import Path

from starlette.requests import Request

from seatrial.model.problems import BadInput

COOKIE = "seatrial_session"
SESSION_S = 12 * 3600
_SHORTEST = 24  # characters
_MOST_SESSIONS = 200


def read_token(file: Path) -> str:
    """The token that a file holds. Raises BadInput when there is none, or others can read it."""
    try:
        mode, text = file.stat().st_mode, file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"--token-file {file}: {getattr(error, 'strerror', None) or 'is not text'}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise BadInput(f"--token-file {file}: others can read it; chmod 600 {file}")
    if len(text) < _SHORTEST or any(each.isspace() for each in text):
        way_out = f"one that nobody guesses: openssl rand -hex 32 > {file}"
        raise BadInput(
            f"--token-file {file}: a token is one word of at least {_SHORTEST} characters; {way_out}"
        )
    return text


class Entrance:
    """Knows the token, and who has shown it. Without a token nobody may act."""

    def __init__(self, token: str = "") -> None:
        self._token = _digest(token) if token else b""
        self._lock = threading.Lock()
        self._sessions: dict[bytes, float] = {}  # digest of a session → when it ends

    @property
    def is_open(self) -> bool:
        """Whether anybody may act at all."""
        return bool(self._token)

    def opens(self, said: str) -> bool:
        """Whether that is the token."""
        return self.is_open and hmac.compare_digest(_digest(said), self._token)

    def admit(self) -> str:
        """A new session, for the cookie."""
        session = secrets.token_urlsafe(32)
        with self._lock:
            now = time.monotonic()
            self._sessions = {each: end for each, end in self._sessions.items() if end > now}
            while len(self._sessions) >= _MOST_SESSIONS:
                self._sessions.pop(next(iter(self._sessions)))
            self._sessions[_digest(session)] = now + SESSION_S
        return session

    def dismiss(self, request: Request) -> None:
        """End the session of whoever asks."""
        with self._lock:
            self._sessions.pop(_digest(request.cookies.get(COOKIE, "")), None)

    def who(self, request: Request) -> str:
        """Whoever asks, as the ledger names them; empty when they have not shown the token."""
        scheme, _, said = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.opens(said.strip()):
            return "the token itself"
        session = _digest(request.cookies.get(COOKIE, ""))
        with self._lock:
            end = self._sessions.get(session, 0.0)
        return f"session {session.hex()[:12]}" if end > time.monotonic() else ""


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
