"""Workers that share neither clock nor disk with their master, in the real Locust."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.bench.bench_workers import plant
from tests.load.test_launch import plan
from tests.support.listeners import free_port
from tests.support.waiting import wait_until

from seatrial.load.dataset import DataFile
from seatrial.load.launch import LOG, SPOOLS, LoadProcess, launch
from seatrial.load.trust import SECRET
from seatrial.load.workers import of_worker, to_type
from seatrial.model.ownfailure import KILLED
from seatrial.model.workers import Workers
from seatrial.waiting import wait_until as look_for

pytestmark = pytest.mark.e2e
KEY = "nobody-else-knows"
AHEAD_S = 1000
FED = """
from locust import task
from seatrial.load import OpenLoopUser
class Visitor(OpenLoopUser):
    @task
    def plain(self):
        self.client.get("/plain", key=self.row["id"])
"""
JOURNEY = """
from locust import task
from seatrial.load import OpenLoopUser
class Visitor(OpenLoopUser):
    @task
    def visit(self):
        for name in ("first", "second", "third"):
            self.client.get("/plain", name=name)
"""
can_shift_clocks = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="needs a time namespace of its own (root)"
)


@dataclass
class Far:
    """A master under way, and workers that were started by hand."""

    folder: Path
    url: str
    load: LoadProcess | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, workers: Workers, duration_s: float = 1.0) -> LoadProcess:
        port = workers.port or free_port()
        self.load = launch(
            replace(
                plan(self.folder, self.url, duration_s=duration_s),
                workers=replace(workers, port=port, key=KEY),
            )
        )
        return self.load

    def join(self, port: int, key: str = KEY, *within: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*within, *of_worker("127.0.0.1", port)],
            env=os.environ | {SECRET: key, "TMPDIR": str(self.folder)},  # those that are killed leave rows
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.workers.append(process)
        return process

    def wait_for_rows(self, count: int) -> None:
        load, seen = self.load, 0
        assert load is not None

        def are_there() -> bool:
            nonlocal seen
            seen += len(load.new_rows())
            return seen >= count

        wait_until(are_there, 40)

    def close(self) -> None:
        if self.load is not None:
            self.load.stop(0.0)
        for process in self.workers:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def far(tmp_path: Path, http_server: Any) -> Iterator[Far]:
    started = Far(tmp_path, http_server.url)
    yield started
    started.close()


@can_shift_clocks
def test_a_worker_whose_clock_is_elsewhere_shares_the_arrivals(far: Far) -> None:
    port = free_port()
    load = far.start(Workers(local=1, expected=1, port=port, rows="keep"))
    far.join(port, KEY, "unshare", "--time", "--monotonic", str(AHEAD_S), "--fork", "--kill-child")
    log, spoiled = load.collect()
    said = (far.folder / "run" / LOG).read_text()
    assert load.poll() == 0, said
    assert spoiled == ""
    assert load.losses == ()
    due = np.concatenate([np.arange(-20, 50) / 100, 0.5 + np.arange(100) / 200])
    assert len(log) == len(due), said
    told = load.clocks[0]
    assert told.ahead_s == pytest.approx(AHEAD_S, abs=0.25)
    assert told.doubt_s is not None
    assert np.abs(log.intended - due).max() <= 2 * told.doubt_s + 0.001
    assert log.ok.all()
    assert {path.name for path in (far.folder / "run" / SPOOLS).iterdir()} == {
        "worker-0.spool",
        "worker-1.spool",
        "workers.jsonl",
    }


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="hides a directory (root)")
def test_rows_and_instants_are_brought_to_a_worker_that_has_not_their_files(far: Far) -> None:
    files = far.folder / "files"
    files.mkdir()
    ids = [f"id-{number}" for number in range(300)]
    (files / "users.csv").write_text("\n".join(["id", *ids]))
    np.save(files / "instants.npy", np.arange(-20, 180) / 100)
    digest = hashlib.sha256((files / "users.csv").read_bytes()).hexdigest()
    port = free_port()
    far.load = load = launch(
        replace(
            plan(far.folder, far.url, FED, duration_s=1.8),
            workers=Workers(expected=2, port=port, key=KEY),
            data=DataFile(files / "users.csv", "unique", digest, 300, ("id",)),
            recorded=files / "instants.npy",
        )
    )
    far.join(port)
    hidden = f'mount -t tmpfs none {files} && exec "$@"'
    far.join(port, KEY, "unshare", "--mount", "sh", "-c", hidden, "sh")
    log, spoiled = load.collect()
    said = (far.folder / "run" / LOG).read_text()
    assert (load.poll(), spoiled, load.losses) == (0, "", ()), said
    assert np.allclose(np.sort(log.intended), np.arange(-20, 180) / 100)
    assert [log.worker.equals(worker).sum() for worker in "01"] == [100, 100]
    assert log.keys is not None
    given = dict(zip(log.intended.tolist(), log.keys.texts(), strict=True))
    sent = {at_s: given[at_s] for at_s in log.intended[~np.isnan(log.sent)].tolist()}
    assert len(sent) > 20, "or a busy machine has sent hardly any in time"
    assert sent == {at_s: ids[round(at_s * 100) + 20] for at_s in sent}
    assert load.offer is not None
    assert load.offer.due_before(0.5) == 50


@pytest.mark.long
def test_workers_agree_on_how_many_requests_an_arrival_makes(far: Far) -> None:
    port = free_port()
    planned = replace(plan(far.folder, far.url, JOURNEY, duration_s=2.0), warmup_s=4.0, counts="requests")
    far.load = load = launch(replace(planned, workers=Workers(local=1, expected=2, port=port, key=KEY)))
    for _ in range(2):
        far.join(port)
    log, spoiled = load.collect()
    said = (far.folder / "run" / LOG).read_text()
    assert (load.poll(), spoiled, load.losses) == (0, "", ()), said
    offer = load.offer
    assert offer is not None
    assert offer.per_arrival is not None
    assert (offer.per_arrival.mean, offer.per_arrival.margin) == (3.0, 0.0)
    due = np.concatenate(list(offer.instants()))
    first = log.name.equals("first") | log.name.equals("visit")  # which was too late to begin
    assert np.array_equal(np.sort(log.intended[first]), due), "each arrival of the one sequence, once"
    assert np.count_nonzero(due >= 0) == pytest.approx((50 + 200 * 1.5) / 3, abs=2)


@pytest.mark.long
def test_a_worker_with_another_secret_starts_nothing(far: Far) -> None:
    port = free_port()
    load = far.start(Workers(local=1, expected=1, port=port))
    far.join(port, "guessed")
    wait_until(lambda: load.poll() is not None, 60)
    reason = load.failure_reason()
    assert reason is not None
    assert "it gave no answer that could be trusted" in reason
    assert load.zero_monotonic_s is None


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("on_lost", ["continue", "redistribute"])
def test_a_lost_worker_is_told_and_every_arrival_is_on_record(
    far: Far, number: signal.Signals, on_lost: Any
) -> None:
    port = free_port()
    load = far.start(Workers(local=1, expected=1, port=port, on_lost=on_lost), duration_s=9.0)
    worker = far.join(port)
    far.wait_for_rows(100)
    os.killpg(worker.pid, number)
    log, _ = load.collect()
    assert len(load.losses) == 1
    assert "nothing was heard of it for 5 s" in load.losses[0]
    assert load.audit is None
    due = 20 + 50 + 200 * 8.5
    assert len(log) == due
    assert len(set(log.intended.tolist())) == due
    lost = log.error.equals(KILLED)
    assert 0 < lost.sum() < due / 2
    if on_lost == "redistribute":
        assert (~lost & (log.intended > 7.999)).sum() == 200


@pytest.mark.long
def test_workers_stop_within_the_lease_when_their_master_is_killed(far: Far, http_server: Any) -> None:
    port = free_port()
    load = far.start(Workers(expected=2, port=port), duration_s=60.0)
    for _ in range(2):
        far.join(port)
    far.wait_for_rows(100)
    os.killpg(load.pid, signal.SIGKILL)

    def is_quiet() -> bool:
        before = len(http_server.requests)
        return not look_for(lambda: len(http_server.requests) > before, 0.5)

    assert look_for(is_quiet, 8.0)


def test_the_two_commands_to_type() -> None:
    export, command = to_type(Workers(expected=1, listen="10.0.0.5", port=5557, key="a b"))
    assert export == f"export {SECRET}='a b'"
    assert command == "python -m seatrial.load -f - --worker --master-host 10.0.0.5 --master-port 5557"
    assert sys.executable not in command


@pytest.mark.long
def test_outages_that_drifting_workers_saw_lie_within_the_bounds(tmp_path: Path) -> None:
    trials, doubt_s, against = plant(6, 3, tmp_path)
    assert against == []
    assert 0.01 < doubt_s < 0.1  # the longest way takes 40 ms there and 10 back
    assert [trial for trial in trials if not trial.covered] == []
