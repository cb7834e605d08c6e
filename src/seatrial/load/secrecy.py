"""What a generator's process is told in secret by the one that started it, and what it makes of that.

The variables are taken out of the environment before the scenario is imported, so programs that the scenario
runs do not inherit them. Everything that is printed from then on, by Locust and by the scenario, is shown
without the values; so are the texts of rows (`seatrial.load.recorder`). The secret columns of a file of data
come by no variable: there may be too many of them, so the process reads the file itself.
"""

from __future__ import annotations

import logging
import os
import sys

from seatrial.model.secrets import ScreenedStream, imported, shown

HOST = "SEATRIAL_LOAD_HOST"  # the address to send to, resolved
SECRETS = "SEATRIAL_LOAD_SECRETS"  # what `seatrial.model.secrets.exported` gave


def take_secrets() -> str:
    """Learn them, and screen what this process prints; the address to send to, "" if none was told."""
    secrets = os.environ.pop(SECRETS, "")
    if secrets:
        imported(secrets)
        _screen_streams()
    return os.environ.pop(HOST, "")


def screen_output() -> None:
    """Screen what this process prints and logs from now on, where stock Locust has set all of that up."""
    _screen_streams()
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    for handler in {each for logger in loggers for each in getattr(logger, "handlers", ())}:
        if not isinstance(handler.formatter, _Screened):
            handler.setFormatter(_Screened(handler.formatter or logging.Formatter()))


def _screen_streams() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, ScreenedStream):
            setattr(sys, name, ScreenedStream(stream, shown))


class _Screened(logging.Formatter):
    """Formats as another does, and shows what people may see of it."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        """The line, or lines."""
        return shown(self._formatter.format(record))
