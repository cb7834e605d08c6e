"""Workers of other machines, started by SSH: a real sshd, whose machine is this one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from tests.support.small_run import SmallRun, all_well, small_run
from tests.support.ssh_server import SshServer, needs_ssh
from tests.support.waiting import wait_until

import seatrial
from seatrial.load.trust import SECRET
from seatrial.load.versions import versions
from seatrial.load.workers import settled
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.workerhosts import WorkerHost
from seatrial.model.workers import Workers
from seatrial.run.workersat import WorkersAt, hosts_in

_SCENARIO = """\
from locust import task
from seatrial.load import OpenLoopUser
from steps import PATH

class Visitor(OpenLoopUser):
    @task
    def home(self):
        self.client.get(PATH)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    started = SshServer(tmp_path / "ssh")
    yield started
    started.close()


@pytest.fixture
def python(tmp_path: Path) -> str:
    """Who logs in by SSH has not the environment of this process, in which the source may be named."""
    return program(tmp_path, f'PYTHONPATH={Path(seatrial.__file__).parents[1]} exec {sys.executable} "$@"')


def program(directory: Path, text: str) -> str:
    path = directory / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def host(server: SshServer, **more: Any) -> WorkerHost:
    return WorkerHost(**{**server.binding(), "directory": str(server.directory), **more})


def started(host: WorkerHost, scenario: Path) -> None:
    scenario.write_text("")
    with WorkersAt(settled(Workers(hosts=(host,))), [scenario]):
        raise AssertionError("it was taken")


# the file


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hosts: [{host: a}]", r"w\.yaml:1:1: machines: is required and missing"),
        ("machines: w\nhosts: []", r"w\.yaml:2:8: hosts: no machine is named"),
        ("machines: w\nhosts:\n  - {host: a, proceses: 2}", r"w\.yaml:3:15: .*did you mean 'processes'"),
        ("machines: w\nhosts:\n  - {host: a, processes: 0}", r"w\.yaml:3:26: hosts\[0\]\.processes"),
        ("machines: w\nhosts:\n  - {host: -oProxyCommand=x}", r"w\.yaml:3:12: hosts\[0\]\.host: '-oProxyC.* is no name"),
        ("machines: w\nhosts:\n  - {host: a, identity: key}", r"w\.yaml:3:25: hosts\[0\]\.identity: no such file"),
        ("target: t\nbase_url: http://a", r"w\.yaml:1:1: target: this is a target, and a file of machines"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("w.yaml").write_text(text)
    with pytest.raises(BadInput, match=told):
        hosts_in("w.yaml")


def test_keys_stand_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "machines").mkdir()
    (tmp_path / "machines/key").touch()
    (tmp_path / "machines/w.yaml").write_text("machines: w\nhosts: [{host: a, identity: key}]")
    monkeypatch.chdir(tmp_path)
    (found,) = hosts_in("machines/w.yaml")
    assert found.identity == str(tmp_path / "machines/key")


# machines that cannot be used


@needs_ssh
def test_another_version_is_refused_with_both_and_nothing_was_sent(server: SshServer, tmp_path: Path) -> None:
    got = tmp_path / "got"
    other = program(tmp_path, f"echo welcome; echo seatrial-versions seatrial 9.9, Locust 1; cat >{got}")
    with pytest.raises(BadInput) as refused:
        started(host(server, python=other), tmp_path / "s.py")
    where = host(server).destination
    assert str(refused.value) == (
        f"--workers-at: {where} runs seatrial 9.9, Locust 1, and we run {versions()}: install the same"
    )
    assert got.read_bytes() == b""


@needs_ssh
@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"python": "/nowhere/python"}, "`python` in the file of the machines names the one there"),
        ({"directory": "/nowhere"}, "/nowhere"),
        ({"known_hosts": "/dev/null"}, "Host key verification failed"),
        ({"port": 1}, "Connection refused"),
    ],
)
def test_a_machine_that_cannot_be_used_is_told_with_the_reason(
    server: SshServer, tmp_path: Path, more: dict[str, Any], told: str
) -> None:
    with pytest.raises(Unavailable) as refused:
        started(host(server, **more), tmp_path / "s.py")
    assert str(refused.value).startswith(f"--workers-at: {host(server).destination}: ")
    assert told in str(refused.value)


@needs_ssh
def test_a_python_without_seatrial_is_told(server: SshServer, tmp_path: Path) -> None:
    bare = program(tmp_path, f'exec {sys.executable} -S -E -s "$@"')
    with pytest.raises(Unavailable, match=r"has no seatrial there \(ModuleNotFoundError: .*install seatrial"):
        started(host(server, python=bare), tmp_path / "s.py")


# runs


@pytest.fixture
def small(tmp_path: Path, server: SshServer, python: str, request: Any) -> Iterator[SmallRun]:
    duration, processes = getattr(request, "param", ("2s", 1))
    (tmp_path / "run").mkdir()
    with small_run(tmp_path / "run", duration, scenario=_SCENARIO) as run:
        (run.directory / "steps.py").write_text('PATH = "/"\n')
        there = {
            **server.binding(),
            "python": python,
            "directory": str(server.directory),
            "processes": processes,
        }
        (run.directory / "w.yaml").write_text(yaml.safe_dump({"machines": "w", "hosts": [there]}))
        yield run


@contextmanager
def begun(run: SmallRun, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [*run.command, "--workers-at", "w.yaml", *more],
        cwd=run.directory,
        env=run.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def there(server: SshServer) -> list[psutil.Process]:
    """What runs in the directory of that machine."""
    everyone = psutil.process_iter(["cwd", "cmdline"])
    return [process for process in everyone if process.info["cwd"] == str(server.directory)]


@needs_ssh
@pytest.mark.e2e
def test_a_run_is_shared_with_workers_that_are_started_by_ssh(small: SmallRun, server: SshServer) -> None:
    with begun(small) as running:
        begins = server.directory.glob
        wait_until(lambda: [*begins("seatrial-workers-*")] or running.poll() is not None, 90)
        wait_until(lambda: len(there(server)) >= 2 or running.poll() is not None, 30)
        lines = [" ".join(process.info["cmdline"] or ()) for process in there(server)]
        _, said = running.communicate(timeout=90)
    assert running.returncode != 64, said.decode()
    verdict = small.verdict()
    assert all_well(verdict), said.decode()
    assert verdict["generator"]["scheduled"] == 100
    assert any("seatrial.load" in line and "--worker" in line for line in lines)
    assert not any(SECRET in line for line in lines)
    assert there(server) == []
    assert list(server.directory.glob("seatrial-*")) == []
    log = (small.evidence() / "locust.log").read_text()
    assert "localhost: " in log


@needs_ssh
@pytest.mark.e2e
@pytest.mark.long
def test_workers_reach_their_master_at_an_address_where_one_is_given(
    small: SmallRun, server: SshServer
) -> None:
    machines = yaml.safe_load((small.directory / "w.yaml").read_text())
    machines["hosts"][0]["master"] = "127.0.0.1"
    (small.directory / "w.yaml").write_text(yaml.safe_dump(machines))
    with begun(small) as running:
        _, said = running.communicate(timeout=90)
    assert running.returncode == 64
    assert "--workers-listen: localhost is to reach the master at 127.0.0.1" in said.decode()
    with begun(small, "--workers-listen", "0.0.0.0") as running:
        _, said = running.communicate(timeout=90)
    verdict = small.verdict()
    assert all_well(verdict), said.decode()
    assert verdict["generator"]["scheduled"] == 100
    assert there(server) == []


@needs_ssh
@pytest.mark.e2e
@pytest.mark.long
@pytest.mark.parametrize("small", [("60s", 2)], indirect=True)
def test_nothing_is_left_there_when_the_conductor_is_killed(small: SmallRun, server: SshServer) -> None:
    with begun(small):
        wait_until(lambda: "load.zero" in small.events(), 90)
        assert len(there(server)) >= 3
    wait_until(lambda: not there(server), 30)


@needs_ssh
@pytest.mark.e2e
@pytest.mark.long
@pytest.mark.parametrize("small", [("12s", 2)], indirect=True)
def test_a_connection_that_ends_costs_its_workers_and_is_told(small: SmallRun, server: SshServer) -> None:
    with begun(small) as running:
        wait_until(lambda: "load.zero" in small.events(), 90)
        (ssh,) = [each for each in psutil.Process(running.pid).children() if each.name() == "ssh"]
        ssh.kill()
        running.communicate(timeout=90)
    verdict = json.loads((small.evidence() / "verdict.json").read_text())
    assert verdict["verdict"] == "unknown"
    assert any("nothing was heard of it" in reason for reason in verdict["reasons"])
    assert there(server) == []


@needs_ssh
@pytest.mark.e2e
@pytest.mark.long
def test_a_worker_that_cannot_begin_is_told_at_once(small: SmallRun, server: SshServer) -> None:
    (small.directory / "steps.py").write_text("import nobody_has_this\n")
    with begun(small) as running:
        running.communicate(timeout=90)
    (reason,) = small.verdict()["reasons"]
    assert "nobody_has_this" in reason
    assert running.returncode == 2
    assert there(server) == []
