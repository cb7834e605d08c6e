"""What must be the same at a master and its workers: another program might count arrivals otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import seatrial


def versions() -> str:
    """Of this process, as people read it."""
    return f"seatrial {seatrial.__version__}, Locust {version('locust')}"


def scenario_hash(locustfiles: Iterable[str]) -> str:
    """Of what these files say, in any order; "" when one cannot be read.

    Locust sends them as texts, so the ends of their lines do not count.
    """
    try:
        texts = [Path(file).read_text(encoding="utf-8") for file in locustfiles]
    except (OSError, UnicodeDecodeError):
        return ""
    hashes = sorted(hashlib.sha256(text.encode()).hexdigest() for text in texts)
    return hashlib.sha256("".join(hashes).encode()).hexdigest()
