"""The process that undoes everything when the conductor cannot.

    conductor ═══ socket pair ═══ guardian     end-of-file tells each of the other's death;
              ──"."──►                         a heartbeat, six a lease, is answered,
              ◄──"."──                         so that either notices when the other is frozen

It lives in a session of its own, so that neither Ctrl-C nor a closed terminal reaches it, and everything that
it needs is loaded before it says READY. It undoes all, in reverse order of injection, when

* the conductor is dead: end-of-file, or its pidfd says so;
* the conductor hangs: no heartbeat within the lease. The session is then revoked for good, and the guardian
  stays and keeps undoing until the conductor is really gone, because a frozen process may thaw and inject;
* it is told to end (SIGTERM);

and a single fault when its time to live, on CLOCK_BOOTTIME, is over.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from seatrial.home import touch_private
from seatrial.model.secrets import ShownFormatter
from seatrial.processes import ProcessId, is_running, myself
from seatrial.undo import registry
from seatrial.undo.journal import Entry, EntryState, Journal, SessionEnding, SessionRecord
from seatrial.undo.journalfile import JournalError
from seatrial.undo.undoing import Outcome, Undoer, set_off

READY, BEAT, REVOKED, LEAVE = b"!", b".", b"R", b"Q"

_log = logging.getLogger("seatrial.guardian")

_TICK_S = 0.25  # at least so often: times to live, and (without a pidfd) the conductor's death
_REVOKED_TICK_S = 0.1
_BUSY_S = 0.15  # a frozen conductor may hold the journal's lock: do not wait long for it
_PASSES = 3  # a failed undo is tried so often before it is left to `recover`
_BETWEEN_PASSES_S = 1.0


class Guardian:
    """Watches one conductor through `channel`, and undoes its faults when it must."""

    def __init__(
        self, journal: Journal, session: SessionRecord, channel: socket.socket, lease_s: float
    ) -> None:
        self._journal = journal
        self._session = session
        self._conductor = session.conductor
        self._channel = channel
        self._lease_s = lease_s
        self._told_to_end = threading.Event()
        self._expiring: set[int] = set()
        self._undoer = Undoer(journal, myself())

    def end(self) -> None:
        """Undo everything and leave, whatever the conductor does (safe in a signal handler)."""
        self._told_to_end.set()

    def watch(self) -> None:
        """Say READY, and return when the conductor has taken its leave or everything is undone."""
        reason = self._until_something_happens()
        if not reason:
            return
        _log.warning("%s; undoing everything", reason)
        if not self._told_to_end.is_set() and self._undo_until_conductor_is_gone():
            return
        for outcome in self._undo_for_good():
            _log.warning("%s: %s %s", outcome.entry.label, outcome.state, outcome.error)
        with contextlib.suppress(JournalError):  # `recover` ends the session if the journal is unwritable now
            self._journal.end_session(self._session.id, SessionEnding.INTERRUPTED)

    def _until_something_happens(self) -> str:
        """Why everything must be undone; empty when the conductor took its leave."""
        poller = select.poll()
        poller.register(self._channel, select.POLLIN)
        with _pidfd(self._conductor) as handle:
            if handle is not None:
                poller.register(handle, select.POLLIN)
            self._channel.sendall(READY)
            heard = time.monotonic()
            while True:
                self._undo_expired()
                ready = poller.poll(_TICK_S * 1000)
                if any(descriptor == self._channel.fileno() for descriptor, _ in ready):
                    received = self._receive()
                    if LEAVE in received:
                        return ""
                    if not received:
                        return "the conductor has hung up"
                    heard = time.monotonic()
                elif ready or not is_running(self._conductor):
                    return "the conductor is dead"
                if self._told_to_end.is_set():
                    return "told to end"
                if time.monotonic() - heard > self._lease_s:
                    self._answer(REVOKED)
                    return f"no heartbeat for {self._lease_s:g}s"

    def _receive(self) -> bytes:
        try:
            received = self._channel.recv(4096)
        except ConnectionError:
            return b""
        if received:
            self._answer(BEAT)
        return received

    def _answer(self, message: bytes) -> None:
        with contextlib.suppress(OSError):  # it is dead or does not read: the next poll tells
            self._channel.send(message, socket.MSG_DONTWAIT)

    def _undo_expired(self) -> None:
        now = self._journal.clock.now()
        for entry in self._open():
            if entry.expired(now) and entry.id not in self._expiring:
                self._expiring.add(entry.id)
                _log.warning("%s has outlived its time to live; undoing it", entry.label)
                set_off(threading.Thread(target=self._undoer.undo, args=(entry,), daemon=True))

    def _undo_until_conductor_is_gone(self) -> bool:
        """Undo again and again what a conductor that may thaw injects. True: it took its leave."""
        while True:
            self._undoer.undo_each(self._open(), force=True)
            if not is_running(self._conductor):
                return False
            if select.select([self._channel], [], [], _REVOKED_TICK_S)[0]:
                received = self._receive()
                if LEAVE in received:
                    return True
                if not received:
                    time.sleep(_REVOKED_TICK_S)

    def _undo_for_good(self) -> list[Outcome]:
        """Undo what is left, verify it all, try failures again."""
        for attempt in range(_PASSES):
            if attempt:
                time.sleep(_BETWEEN_PASSES_S)
            self._undoer.undo_each(self._journal.open_entries(self._session.id), force=True)
            if not self._journal.open_entries(self._session.id):
                break
        entries = self._journal.entries(self._session.id)
        return self._undoer.verify_each([Outcome.of(entry) for entry in entries if entry.verified is None])

    def _open(self) -> list[Entry]:
        entries = self._journal.open_entries(self._session.id)
        return [entry for entry in entries if entry.state is not EntryState.UNDO_FAILED]


@contextlib.contextmanager
def _pidfd(process: ProcessId) -> Iterator[int | None]:
    """A descriptor that is readable once `process` is dead, where the system has such a thing."""
    handle = None
    if sys.platform == "linux":
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(process.pid)
    try:
        yield handle
    finally:
        if handle is not None:
            os.close(handle)


def _log_to(path: Path, session: str) -> None:
    touch_private(path)
    handler = logging.FileHandler(path)
    handler.setFormatter(ShownFormatter(f"%(asctime)s %(process)d {session} %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)


def main(arguments: list[str] | None = None) -> None:
    """Entry of the guardian's process: `python -m seatrial.undo.guardian …`, started by FaultSession."""
    parser = argparse.ArgumentParser(prog="seatrial-guardian")
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--session", required=True)
    parser.add_argument("--channel", type=int, required=True, help="descriptor of our end of the socket pair")
    parser.add_argument("--lease", type=float, required=True, help="seconds without a heartbeat")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--faults", nargs="*", default=[], help="declared names to load beforehand")
    parser.add_argument("--modules", nargs="*", default=[], help="what else to load beforehand")
    given = parser.parse_args(arguments)
    _log_to(given.log, given.session)
    for name in given.faults:
        registry.load(name)
    for module in given.modules:
        importlib.import_module(module)
    journal = Journal(given.journal, patience_s=_BUSY_S)
    session = next(session for session in journal.sessions() if session.id == given.session)
    guardian = Guardian(journal, session, socket.socket(fileno=given.channel), given.lease)
    for unheeded in (signal.SIGINT, signal.SIGHUP):
        signal.signal(unheeded, lambda *_: None)  # SIG_IGN would pass to the programs that an undo starts
    signal.signal(signal.SIGTERM, lambda *_: guardian.end())
    try:
        guardian.watch()
    except Exception:
        _log.exception("the guardian failed; `seatrial recover` undoes what is left")
        raise
    finally:
        journal.close()


if __name__ == "__main__":
    main()
