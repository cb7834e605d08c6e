"""Checks by their declared names: `served-by` is the one in `served_by.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from seatrial import discovery
from seatrial.checks.protocol import Check, DeclaredCheck
from seatrial.discovery import Registry

CHECKS: Registry[DeclaredCheck] = Registry("check", "seatrial.checks", DeclaredCheck)


def build(name: str, parameters: Mapping[str, Any]) -> Check:
    """The check `name` with its parameters; see `discovery.build`."""
    return cast("Check", discovery.build(CHECKS, name, parameters))
