"""What must be the same at a master and its workers: another program might count arrivals otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import seatrial
from seatrial.imports import modules


def versions() -> str:
    """Of this process, as people read it. numpy draws the random arrivals and choices that all must share."""
    return f"seatrial {seatrial.__version__}, Locust {version('locust')}, numpy {version('numpy')}"


@dataclass(frozen=True, slots=True)
class ScenarioCode:
    """Hashes of what a process runs: its locustfiles together, and each module beside them by its name."""

    hash: str = ""
    modules: Mapping[str, str] = field(default_factory=dict)

    def other_modules(self, other: ScenarioCode) -> list[str]:
        """Names of those that are not the same with `other`, or that one of them has not."""
        names = sorted(self.modules.keys() | other.modules.keys())
        return [name for name in names if self.modules.get(name) != other.modules.get(name)]


UNTOLD = ScenarioCode()


def scenario_code(locustfiles: Iterable[str], here: Path) -> ScenarioCode:
    """That of these files in any order, imported in the directory `here`; its hash is "" if one is no text.

    Locust sends them as texts, so the ends of their lines do not count.
    """
    files = [Path(file) for file in locustfiles]
    hashes = sorted(map(_hash, files))
    found = {name: path for file in files for name, path in modules(file.resolve(), here).items()}
    together = hashlib.sha256("".join(hashes).encode()).hexdigest() if all(hashes) else ""
    return ScenarioCode(together, {name: _hash(path) for name, path in found.items()})


def _hash(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_text(encoding="utf-8").encode()).hexdigest()
    except (OSError, UnicodeDecodeError):
        return ""
