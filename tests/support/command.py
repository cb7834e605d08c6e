"""A command, given in this process: fast, and its parts can be replaced."""

from __future__ import annotations

import sys

import pytest

from seatrial.cli import main


def seatrial(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of `seatrial ARGUMENTS`."""
    monkeypatch.setattr(sys, "argv", ["seatrial", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code
