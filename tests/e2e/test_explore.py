"""An exploration of a real service with a planted weakness: found, and undone whatever becomes of us."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest
from tests.support.planted import NAMES, Planted, planted
from tests.support.waiting import wait_until

from seatrial.processes import from_pidfile, is_stopped

pytestmark = pytest.mark.long

_ONLY_KILLS_OF_DELTA = [
    word
    for each in ("process.slow", "process.pause", "traffic.spike", "alpha", "beta", "gamma")
    for word in ("--without", each)
]


def lines_kept(service: Planted) -> list[str]:
    return [
        line
        for file in service.directory.glob("home/explored/*.jsonl")
        for line in file.read_text().splitlines()
    ]


def all_run(service: Planted) -> bool:
    """Whether everybody behind the front runs, and nobody is stopped."""
    found = [list(from_pidfile(service.directory / f"{name}.pid")) for name in NAMES]
    return all(found) and not any(is_stopped(process) for some in found for process in some)


def third_has_begun(service: Planted) -> bool:
    journals = service.directory.glob("runs/*/0003-*/journal.jsonl")
    return any("step.fired" in each.read_text() for each in journals)


@pytest.mark.timeout(360)  # its budget is 4 minutes
def test_a_weakness_is_found_shrunk_and_written_as_an_experiment(tmp_path: Path) -> None:
    with planted(tmp_path, "leak") as service:
        wanted = ["--budget", "4m", "--first", "--repeats", "2", *_ONLY_KILLS_OF_DELTA]
        done = subprocess.run(
            [*service.command, *wanted],
            cwd=tmp_path,
            env=service.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        account = json.loads(done.stdout)
        if account["ended"] == "control-unknown":
            pytest.skip("the machine is so busy that the load alone proves nothing")
        assert done.returncode == 1, done.stderr
        (found,) = account["weaknesses"]
        assert [each["fault"] for each in found["schedule"]] == ["process.kill on delta"]
        assert (found["standing"], found["violated"]) == ("fact", ["errors"])
        assert all_run(service)
        again = subprocess.run(
            [*service.command[:3], "run", found["experiment"], "--target", "target.yaml"],
            cwd=tmp_path, env=service.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert again.returncode == 1, again.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_it_everything_is_undone_and_what_was_tried_is_kept(
    tmp_path: Path, number: signal.Signals
) -> None:
    with planted(tmp_path, "none") as service:
        wanted = ["--budget", "4m", "--without", "process.slow", "--without", "traffic.spike"]
        explorer = subprocess.Popen(
            [*service.command, *wanted], cwd=tmp_path, env=service.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_until(lambda: len(lines_kept(service)) >= 2, 120.0, what="a schedule was tried")
            wait_until(lambda: third_has_begun(service), 60.0, what="a fault of the third run is in effect")
            explorer.send_signal(number)
            code = explorer.wait(60)
        finally:
            explorer.kill()
        kept = lines_kept(service)
        assert code == (130 if number == signal.SIGINT else -number)
        assert len(kept) >= 2
        if number == signal.SIGKILL:
            recovered = subprocess.run(
                [*service.command[:3], "recover"], cwd=tmp_path, env=service.environment, check=False
            )
            assert recovered.returncode == 0
        wait_until(lambda: all_run(service), 30.0, what="everything is undone")
