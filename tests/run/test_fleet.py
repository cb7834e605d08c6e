"""Which loads can be shared, and with whom."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.planning import EXPERIMENT, TARGET

from seatrial import files
from seatrial.model.problems import BadInput
from seatrial.model.workerhosts import WorkerHost
from seatrial.model.workers import Workers
from seatrial.run.fleet import with_workers
from seatrial.run.plan import make_plan

LINE = (
    "10.0.0.1:1 [28/Nov/2026:22:00:{:02d}.000] web app/a 0/0/1/2/3 200 9 - - ---- 1/1/1/1/0 0/0 "
    '"GET / HTTP/1.1"\n'
)


def test_a_replay_is_shared_with_workers_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.py").write_text("")
    Path("access.log").write_text("".join(map(LINE.format, range(20))))
    Path("x.yaml").write_text(EXPERIMENT.replace("rate: 100/s", "replay: access.log"))
    Path("t.yaml").write_text(TARGET)
    planned = make_plan(files.read("x.yaml", "experiment"), files.read("t.yaml", "target"))
    assert planned.replay is not None
    assert with_workers(planned, Workers(local=2), lambda _: None).workers.local == 2
    said: list[str] = []
    assert with_workers(planned, Workers(expected=2), said.append).workers.elsewhere == 2
    assert said[0].startswith("waiting for 2 load workers")


def test_workers_elsewhere_do_not_take_their_own_machine_for_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"s.py": "", "x.yaml": EXPERIMENT, "t.yaml": TARGET}.items():
        Path(name).write_text(text)
    planned = make_plan(files.read("x.yaml", "experiment"), files.read("t.yaml", "target"))
    away, here = (Workers(hosts=(WorkerHost(host=host),)) for host in ("load-1", "localhost"))
    with pytest.raises(
        BadInput, match=r"--workers-at: the target is at .*, which at load-1 is that machine itself"
    ):
        with_workers(planned, away, lambda _: None)
    assert with_workers(planned, here, lambda _: None).workers.count == 1


def test_a_rate_of_requests_is_shared_where_the_warm_up_leaves_time_to_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.py").write_text("")
    Path("t.yaml").write_text(TARGET)
    requests = EXPERIMENT.replace("rate: 100/s", "rate: {requests: 100/s}")
    planned = []
    for warmup in ("5s", "1s"):
        Path("x.yaml").write_text(f"{requests}warmup: {warmup}\n")
        planned.append(make_plan(files.read("x.yaml", "experiment"), files.read("t.yaml", "target")))
    assert with_workers(planned[0], Workers(local=2), lambda _: None).workers.local == 2
    assert with_workers(planned[1], Workers(local=1), lambda _: None).workers.local == 1
    with pytest.raises(BadInput, match=r"agreed on in the warm-up, and 1s is too short .* give it 1\.6s"):
        with_workers(planned[1], Workers(local=2), lambda _: None)
