"""Examples at the end of each command's help; a test takes every one of them at its word."""

from __future__ import annotations

HEAD = "Examples:"


def examples(*commands: str) -> str:
    """The end of a help text: one command a line, as it is typed."""
    return "\n\n".join((HEAD, *(f"  {command}" for command in commands)))
