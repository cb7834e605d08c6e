"""The load generator inside the real Locust, as people run it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tests.support.locusts import two_processes
from tests.support.rows import read_log
from tests.support.signals import heeded
from tests.support.waiting import wait_until

from seatrial.load.spool import CANNOT_WRITE, SpoolReader
from seatrial.model.ownfailure import KILLED
from seatrial.model.requestlog import RequestLog

pytestmark = pytest.mark.e2e

SCENARIO = """
from locust import task
from seatrial.load import OpenLoopUser
class Visitor(OpenLoopUser):
    @task
    def plain(self):
        self.client.get("/plain")
"""


LOADTESTS = Path(__file__).parents[2] / "loadtests"


class Forgetful(set[tuple[str, str]]):
    """A shop's memory that acknowledges and keeps nothing."""

    def add(self, order: tuple[str, str]) -> None:
        pass


class Locusts:
    """Starts Locust on a scenario, and leaves none behind."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder = folder
        self.log = folder / "requests.parquet"
        self.host = host
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, scenario: str = SCENARIO) -> subprocess.Popen[str]:
        file = self.folder / "scenario.py"
        file.write_text(textwrap.dedent(scenario))
        with heeded(signal.SIGINT):
            process = subprocess.Popen(
                [sys.executable, "-m", "locust", "-f", str(file), "--host", self.host, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                text=True,
            )
        self._started.append(process)
        return process

    def start_logging(self, *arguments: str, scenario: str = SCENARIO) -> subprocess.Popen[str]:
        return self.start(
            "--headless", "--only-summary", "--request-log", str(self.log), *arguments, scenario=scenario
        )

    def run(self, *arguments: str, scenario: str = SCENARIO) -> tuple[int, str]:
        process = self.start_logging(*arguments, scenario=scenario)
        output, _ = process.communicate(timeout=40)
        return process.returncode, output

    def rows(self) -> RequestLog:
        return read_log(self.log)

    def wait_for_rows(self, count: int) -> None:
        reader, seen = SpoolReader(self.log.with_suffix(".spool") / "worker-0.spool"), 0
        limit = time.monotonic() + 20
        while seen < count:
            assert time.monotonic() < limit
            seen += len(reader.poll())
            time.sleep(0.01)

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture
def locusts(tmp_path: Path, http_server: Any) -> Iterator[Locusts]:
    runner = Locusts(tmp_path, http_server.url)
    yield runner
    runner.close()


def is_open(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


FED = """
from locust import HttpUser, task
class Visitor(HttpUser):
    @task
    def plain(self):
        self.client.get("/plain", name=self.row["id"])
"""


def test_rows_of_a_file_are_shared_by_processes_each_once(locusts: Locusts) -> None:
    users = locusts.folder / "users.csv"
    users.write_text("id\n" + "".join(f"r{number:03}\n" for number in range(120)))
    given = ("--data", str(users), "--data-order", "unique", "--rate", "100/s")
    code, output = locusts.run(*given, "--duration", "1s", "--processes", "2", scenario=FED)
    assert code == 0, output
    assert sorted(locusts.rows().name.texts()) == [f"r{number:03}" for number in range(100)]


def test_a_secret_column_is_not_on_the_console_nor_in_files_of_locust(locusts: Locusts) -> None:
    users = locusts.folder / "users.csv"
    users.write_text("id\n" + "".join(f"s3cret-T0ken-{number:03}\n" for number in range(120)))
    given = ("--data", str(users), "--data-secret", "id", "--rate", "100/s", "--duration", "1s")
    files = ("--csv", str(locusts.folder / "x"), "--logfile", str(locusts.folder / "x.log"))
    raising = f"{FED}        if 'T0ken-00' in self.row['id']: raise ValueError(self.row['id'])\n"
    _, output = locusts.run(*given, *files, scenario=raising)
    said = {path.name: path.read_text() for path in locusts.folder.glob("x*")} | {"console": output}
    assert [name for name, text in said.items() if "s3cret-T0ken-" in text] == []
    for name in ("console", "x_stats.csv", "x_exceptions.csv", "x.log"):
        assert "${row.id}" in said[name]
    assert set(locusts.rows().name.texts()) == {"${row.id}"}


@pytest.mark.long
def test_rows_that_cannot_do_start_nothing(locusts: Locusts) -> None:
    users = locusts.folder / "users.csv"
    users.write_text("id\n1\n2\n")
    unique = ("--data", str(users), "--data-order", "unique", "--rate", "100/s", "--duration", "1s")
    code, output = locusts.run(*unique, scenario=FED)
    assert (code, locusts.log.exists()) == (64, False)
    assert "--data-order: 100 arrivals are due, warm-up included, and there are 2 rows" in output
    users.write_text("id\n1,2\n")
    code, output = locusts.run("--data", str(users), "--rate", "100/s", "--duration", "1s", scenario=FED)
    assert (code, locusts.log.exists()) == (64, False)
    assert "--data: users.csv:2: has 2 values, and the header 1 column" in output


def test_a_whole_test(locusts: Locusts) -> None:
    code, output = locusts.run("--rate", "200/s", "--warmup", "0.5s", "--duration", "1s")
    assert code == 0, output
    log = locusts.rows()
    assert np.allclose(log.intended, np.arange(-100, 200) / 200)
    assert log.ok.all()
    assert np.all(log.sent >= log.intended)
    assert set(log.served_by.texts()) == {"blue/east"}
    assert re.search(r"scheduled +200 +200/s offered", output)
    assert re.search(r"GET +/plain +300 +0\(0.00%\)", output)
    assert re.search(r"lateness +[0-9.]+ ms +median; p99 [0-9.]+ ms, max [0-9.]+ ms", output)
    assert not locusts.log.with_suffix(".spool").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(
            ("--rate", "fast"),
            "locust: --rate: 'fast' is not a rate; write it like 10000/min or 500/s\n",
            marks=pytest.mark.long,
        ),
        (
            ("--deadline=-1s",),
            "locust: --deadline: '-1s' is not a duration; write it like 250ms, 5s, 1m30s or 2h\n",
        ),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_code_64(
    locusts: Locusts, arguments: tuple[str, ...], says: str
) -> None:
    assert locusts.run(*arguments) == (64, says)


@pytest.mark.parametrize(
    ("scenario", "says"),
    [
        pytest.param(SCENARIO, "no host to send to: give one with --host http://…", marks=pytest.mark.long),
        pytest.param(
            SCENARIO.replace("@task", "host = 'http://x'"),
            "Visitor has no tasks; mark its methods with @task",
            marks=pytest.mark.long,
        ),
        (SCENARIO + "    host = 'ftp://example'\n", "'ftp://example' is not an http:// or https:// address"),
    ],
)
def test_a_scenario_that_cannot_be_run_is_told(locusts: Locusts, scenario: str, says: str) -> None:
    locusts.host = ""
    code, output = locusts.run(scenario=scenario)
    assert code == 64
    assert says in output
    assert "Traceback" not in output


@pytest.mark.parametrize("how", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_stragglers_of_a_stopped_test_are_on_record(
    locusts: Locusts, http_server: Any, how: signal.Signals
) -> None:
    process = locusts.start_logging(
        *("--rate", "100/s", "--deadline", "600ms"),
        scenario=SCENARIO.replace(
            '"/plain")', '"/hang" if int(time.monotonic() * 10) % 2 else "/plain")'
        ).replace("from locust", "import time\nfrom locust", 1),
    )
    locusts.wait_for_rows(50)
    process.send_signal(how)
    output, _ = process.communicate(timeout=20)
    log = locusts.rows()
    asked = sum(request.path in ("/plain", "/hang") for request in http_server.requests)
    assert len(log) == asked
    assert np.allclose(np.diff(log.intended), 0.01)
    assert set(log.error.texts()) == {"", "deadline"}
    assert np.isnan(log.ended[~log.ok]).all()
    assert "load generator" in output


def test_a_killed_generator_has_lost_nothing_that_it_sent(locusts: Locusts, http_server: Any) -> None:
    process = locusts.start_logging(
        "--rate", "100/s", scenario=SCENARIO.replace('"/plain"', '"/hang"').replace("@task", "@task(1)")
    )
    spool = locusts.log.with_suffix(".spool") / "worker-0.spool"
    wait_until(lambda: len(http_server.requests) > 60)
    process.kill()
    process.wait()
    reader = SpoolReader(spool)
    rows, unaccounted = reader.poll(), reader.unaccounted()
    assert len(rows) == 0
    assert set(unaccounted.error.texts()) == {KILLED}
    assert (
        len(unaccounted) >= len(http_server.requests) - 40
    )  # all but the last fifth of a second, generously
    assert np.allclose(unaccounted.intended, np.arange(len(unaccounted)) / 100)


def test_arrivals_beyond_the_limit_are_dropped_counted_and_on_record(locusts: Locusts) -> None:
    code, output = locusts.run(
        *("--rate", "100/s", "--duration", "1s", "--deadline", "5s", "--max-in-flight", "10"),
        scenario=SCENARIO.replace('"/plain"', '"/hang", timeout=0.5'),
    )
    assert code == 1  # Locust's own: there were failures
    log = locusts.rows()
    dropped = np.isnan(log.sent)
    assert len(log) == 100
    assert dropped.sum() == 100 - log.error.equals("deadline").sum()
    assert log.error.equals("dropped: 10 arrivals in flight").sum() == dropped.sum() > 50
    assert set(log[dropped].name.texts()) == {"plain"}
    assert re.search(rf"dropped +{dropped.sum()} ", output)


def test_a_log_that_the_disk_does_not_take_is_told_and_its_rows_are_kept(locusts: Locusts) -> None:
    locusts.log.with_name(f"{locusts.log.name}.part").mkdir()  # in its place
    code, output = locusts.run("--rate", "100/s", "--duration", "500ms")
    assert code == CANNOT_WRITE
    assert "Traceback" not in output
    spools = locusts.log.with_suffix(".spool")
    assert f"The rows are still in {spools}" in output
    assert len(SpoolReader(spools / "worker-0.spool").poll()) == 50


def test_virtual_users_are_strangers_and_their_mistakes_are_seen(locusts: Locusts) -> None:
    code, output = locusts.run(
        *("--rate", "50/s", "--duration", "1s"),
        scenario="""
        import gevent
        from locust import task
        from seatrial.load import OpenLoopUser
        class Visitor(OpenLoopUser):
            users = 0
            def on_start(self):
                self.busy = False
                Visitor.users += 1
                self.client.get("/plain", name="login")
            @task(9)
            def stroll(self):
                assert not self.busy
                self.busy = True
                gevent.sleep(0.1)
                self.client.get("/plain", name=f"{self.users} users")
                self.busy = False
            @task(1)
            def stumble(self):
                {}["nowhere"]
        """,
    )
    log = locusts.rows()
    names = log.name.texts()
    assert code == 1
    logins = names.count("login")
    assert 2 <= logins < 50
    assert f"{logins} users" in names
    stumbled = log[log.error.equals("dropped: the scenario failed: KeyError")]
    assert 0 < len(stumbled) < 20
    assert np.isnan(stumbled.sent).all()
    assert output.count("stumble: KeyError") == 1


def test_two_processes_share_the_arrivals(locusts: Locusts) -> None:
    code, output = locusts.run("--rate", "200/s", "--duration", "1s", *two_processes())
    assert code == 0, output
    log = locusts.rows()
    assert np.allclose(log.intended, np.arange(200) / 200)
    assert log.worker.texts() == ["0", "1"] * 100
    assert re.search(r"sent +200 ", output)


def test_a_worker_that_dies_is_told_and_its_arrivals_are_missed(locusts: Locusts) -> None:
    process = locusts.start_logging("--rate", "200/s", "--duration", "2s", *two_processes())
    locusts.wait_for_rows(20)
    reader = SpoolReader(locusts.log.with_suffix(".spool") / "worker-0.spool")
    reader.poll()
    assert reader.header is not None
    os.kill(reader.header.pid, signal.SIGKILL)
    output, _ = process.communicate(timeout=40)
    log = locusts.rows()
    assert process.returncode == 70, output
    assert "Load worker worker-0 died" in output
    assert np.allclose(log.intended, np.arange(len(log)) / 200)
    assert len(log) >= 398
    dead = log.worker.equals("0")
    assert log[~dead].ok.all()
    assert 20 <= log[dead].ok.sum() < dead.sum()
    assert set(log[dead & ~log.ok].error.texts()) == {KILLED}


def test_the_storefront(locusts: Locusts, http_server: Any) -> None:
    code, output = locusts.run(
        "--rate", "200/s", "--duration", "1s", scenario=(LOADTESTS / "storefront.py").read_text()
    )
    assert code == 0, output
    log = locusts.rows()
    names = set(log.name.texts())
    assert names == {"GET /catalogue", "GET /catalogue/{sku}", "POST /orders", "GET /orders/{key}"}
    assert log.keys is not None
    assert {key for _, key in http_server.orders} == set(log.keys) - {None}
    assert {tenant for tenant, _ in http_server.orders} == {"acme", "globex", "initech", "umbrella"}


def test_an_acknowledged_order_that_is_gone_is_a_failure(locusts: Locusts, http_server: Any) -> None:
    http_server.orders = Forgetful()
    code, output = locusts.run(
        "--rate", "200/s", "--duration", "1s", scenario=(LOADTESTS / "storefront.py").read_text()
    )
    assert code == 1, output
    failed = locusts.rows()
    failed = failed[~failed.ok]
    assert set(failed.error.texts()) == {"an acknowledged order is gone"}
    assert set(failed.name.texts()) == {"GET /orders/{key}"}


def test_the_smallest_scenario(locusts: Locusts) -> None:
    code, output = locusts.run(
        "--rate", "50/s", "--duration", "1s", scenario=(LOADTESTS / "homepage.py").read_text()
    )
    assert code == 0, output
    assert set(locusts.rows().name.texts()) == {"/"}


def test_the_start_form(locusts: Locusts) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = locusts.start(
        "--web-host", "127.0.0.1", "--web-port", str(port), "--request-log", str(locusts.log)
    )
    form = {"user_count": "1", "spawn_rate": "1"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as page:
        wait_until(lambda: is_open(port))
        assert '"rate"' in page.get("/").text
        refused = page.post("/swarm", data={**form, "rate": "fast"}).json()
        assert refused["success"] is False
        assert refused["message"] == "--rate: 'fast' is not a rate; write it like 10000/min or 500/s"
        for number in (1, 2):
            assert page.post("/swarm", data={**form, "rate": "100/s"}).json()["success"] is True
            wait_until(lambda: page.get("/stats/requests").json()["total_rps"] > 0)
            page.post("/stop")
            log = locusts.log if number == 1 else locusts.log.with_stem("requests-2")
            intended = read_log(log).intended
            assert np.allclose(np.diff(intended), 0.01)
    process.terminate()
    process.communicate(timeout=20)


def test_locusts_own_users_are_left_alone(locusts: Locusts) -> None:
    code, output = locusts.run(
        *("-t", "1s"),
        scenario="""
        from locust import FastHttpUser, constant, task
        from seatrial.load import OpenLoopUser
        class Stock(FastHttpUser):
            wait_time = constant(0.1)
            @task
            def plain(self):
                self.client.get("/plain")
        """,
    )
    assert code == 0, output
    assert "load generator" not in output
    assert not locusts.log.exists()
