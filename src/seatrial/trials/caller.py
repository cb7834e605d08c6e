"""Who asks for a trial, as far as a trial has to know: whom it tells, who watches, and who may end it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from seatrial.run.observer import Silent

if TYPE_CHECKING:
    from seatrial.run.observer import Observer
    from seatrial.run.plan import Plan

_log = logging.getLogger(__name__)


class Caller(Protocol):
    """A person at a terminal, the daemon, a page in a browser."""

    def say(self, text: str) -> None:
        """Tell something that stands beside the result: what is started, recovered, not recorded."""

    def shielded(self) -> AbstractContextManager[threading.Event]:
        """What is in the block is brought to its end; the event says whether somebody wants that soon."""

    def watching(self, plan: Plan, stop: threading.Event) -> AbstractContextManager[Observer]:
        """A view of the run of `plan` while it goes on; `stop` is set when somebody asks for its end."""


@dataclass(frozen=True, slots=True)
class Unattended:
    """A caller whom nobody watches: what is said goes to the log. Setting `stop` ends its trials early."""

    stop: threading.Event = field(default_factory=threading.Event)

    def say(self, text: str) -> None:
        _log.info("%s", text)

    @contextmanager
    def shielded(self) -> Iterator[threading.Event]:
        yield self.stop

    def watching(
        self,
        plan: Plan,  # noqa: ARG002  # nobody looks
        stop: threading.Event,  # noqa: ARG002
    ) -> AbstractContextManager[Observer]:
        return nullcontext(Silent())
