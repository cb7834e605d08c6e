"""Checkpoints kept outside the log's own trust domain, or a log cut short behind one would look whole.

A copy may be slow or away; neither signing nor appending waits for it. One thread hands out the newest note
and skips the ones it came too late for: the newest says everything that the older ones said.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from seatrial.ledger.layout import sync_directory

log = logging.getLogger(__name__)


class CopyFailed(Exception):  # noqa: N818  # what it is, as in BadInput
    """The note was not taken; the next one will be tried."""


class CheckpointCopy(Protocol):
    """Somewhere else that keeps checkpoints."""

    @property
    def name(self) -> str:
        """For messages."""

    def keep(self, note: bytes) -> None:
        """Store one signed note; returns when it is safe there. Raises CopyFailed."""


class FileCopy:
    """Appends notes to a file, on a disk that the log's writers should not be able to rewrite."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    def keep(self, note: bytes) -> None:
        """Append and fdatasync."""
        try:
            new = not self._path.exists()
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, note + b"\n")
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
            if new:
                sync_directory(self._path.parent)
        except OSError as error:
            raise CopyFailed(str(error)) from error


class HttpCopy:
    """POSTs each note as text to a witness, which answers 2xx when it has it.

    A witness is no part of any target: it stands where the command line says, and behind the environment's
    proxy if there is one. No allow list is held on it, and a redirect is a refusal.
    """

    def __init__(self, url: str, timeout_s: float = 5.0) -> None:
        import httpx  # noqa: PLC0415  # every signer and verifier would load it, and few have a witness

        self.name = url
        self._client = httpx.Client(timeout=timeout_s)

    def keep(self, note: bytes) -> None:
        """One request."""
        import httpx  # noqa: PLC0415

        try:
            answer = self._client.post(
                self.name, content=note, headers={"content-type": "text/plain; charset=utf-8"}
            )
        except httpx.HTTPError as error:
            raise CopyFailed(str(error) or type(error).__name__) from error
        if not answer.is_success:
            raise CopyFailed(f"answered {answer.status_code}")


class CallbackCopy:
    """Hands each note to a function: the run database, a queue. Whatever it raises counts as not kept."""

    def __init__(self, name: str, function: Callable[[bytes], None]) -> None:
        self.name = name
        self._function = function

    def keep(self, note: bytes) -> None:
        """Call it."""
        try:
            self._function(note)
        except Exception as error:
            raise CopyFailed(f"{type(error).__name__}: {error}") from error


class Copier:
    """The thread that delivers the newest note to every copy."""

    def __init__(self, copies: Sequence[CheckpointCopy], retry_s: float = 1.0) -> None:
        self._copies = tuple(copies)
        self._retry_s = retry_s
        self._changed = threading.Condition()
        self._newest: bytes | None = None
        self._closing = False
        self._thread: threading.Thread | None = None
        if copies:
            self._thread = threading.Thread(target=self._run, name="ledger-copies", daemon=True)
            self._thread.start()

    def offer(self, note: bytes) -> None:
        """A newer note to deliver."""
        with self._changed:
            self._newest = note
            self._changed.notify_all()

    def close(self, timeout_s: float) -> None:
        """Deliver the newest note once more where it is still missing, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                log.warning("checkpoint copies: still busy after %g s; left to themselves", timeout_s)

    def _run(self) -> None:
        missing: dict[CheckpointCopy, str] = {}  # copies that lack the newest note, and why
        delivered: bytes | None = None
        while True:
            with self._changed:
                while self._newest is delivered and not missing and not self._closing:
                    self._changed.wait()
                if missing and self._newest is delivered and not self._closing:
                    self._changed.wait(self._retry_s)
                note, closing = self._newest, self._closing
            if note is not None and (note is not delivered or missing):
                wanting = self._copies if note is not delivered else tuple(missing)
                missing = self._deliver(note, wanting, missing)
                delivered = note
            if closing and self._newest is delivered:
                return

    @staticmethod
    def _deliver(
        note: bytes, copies: Sequence[CheckpointCopy], before: dict[CheckpointCopy, str]
    ) -> dict[CheckpointCopy, str]:
        missing = {}
        for copy in copies:
            try:
                copy.keep(note)
            except CopyFailed as error:
                missing[copy] = str(error)
                if before.get(copy) != str(error):
                    log.warning("checkpoint copy %s: %s", copy.name, error)
        return missing
