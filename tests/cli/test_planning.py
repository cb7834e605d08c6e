"""A dry run on the terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.planning import TARGET, timeline

from seatrial import files
from seatrial.cli.planning import show
from seatrial.cli.terminal import out
from seatrial.model.workerhosts import WorkerHost
from seatrial.model.workers import Workers
from seatrial.run.plan import make_plan
from seatrial.trials.preview import previewed


def test_it_names_the_steps_and_says_that_nobody_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(out, "_width", 300)
    step = "{at: 2s, fault: process.pause, on: worker, for: 3s, name: freeze}"
    for name, text in {"x.yaml": timeline(step), "t.yaml": TARGET, "s.py": ""}.items():
        Path(name).write_text(text)
    plan = make_plan(files.read("x.yaml", "experiment"), files.read("t.yaml", "target"))
    hosts = (WorkerHost(host="web-1", user="deploy", processes=4),)
    with out.capture() as captured:
        show(previewed(replace(plan, workers=Workers(local=1, expected=2, hosts=hosts)), looks=False))
    shown = captured.get()
    assert "workers    1 here, 2 that come by themselves, 4 at deploy@web-1, by SSH" in shown
    for part in ("at", "2 s", "3 s", "freeze", "process.pause", "worker (process)", "seatrial testbed up"):
        assert part in shown
