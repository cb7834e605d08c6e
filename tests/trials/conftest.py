"""A directory with an experiment, a suite and a target, and somebody who asks for trials of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.planning import EXPERIMENT

from seatrial.run.observer import Observer, Silent
from seatrial.run.plan import Plan


@dataclass
class Person:
    """A caller who remembers what was said, and may want the end."""

    stop: threading.Event = field(default_factory=threading.Event)
    heard: list[str] = field(default_factory=list)
    watched: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.heard.append(text)

    @contextmanager
    def shielded(self) -> Iterator[threading.Event]:
        yield self.stop

    def watching(self, plan: Plan, stop: threading.Event) -> AbstractContextManager[Observer]:
        self.watched.append(plan.experiment.experiment)
        return nullcontext(Silent())


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def files_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    for name, text in {
        "s.py": "",
        "x.yaml": EXPERIMENT,
        "y.yaml": EXPERIMENT.replace("experiment: x", "experiment: y"),
        "both.yaml": "suite: both\nexperiments: [x.yaml, y.yaml]\npause: 0s\n",
        "t.yaml": "target: shop\nbase_url: http://127.0.0.1:1\n",
    }.items():
        Path(name).write_text(text)
    return tmp_path
