"""Whole locustfiles, as people have them, driven unmodified."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.e2e

SHOP = """
import os
from locust import HttpUser, SequentialTaskSet, TaskSet, between, constant, events, tag, task

def say(text):
    with open("said.txt", "a") as file:
        file.write(text + "\\n")

@events.init_command_line_parser.add_listener
def _(parser):
    parser.add_argument("--tenant", default="nobody")

@events.init.add_listener
def init(environment, **_):
    say(f"init {environment.parsed_options.tenant}")

@events.test_start.add_listener
def test_start(environment, **_):
    say("test_start")

@events.spawning_complete.add_listener
def spawning_complete(user_count, **_):
    say(f"spawning_complete {user_count}")

@events.test_stop.add_listener
def test_stop(environment, **_):
    say(f"test_stop {environment.stats.total.num_requests}")

@events.quitting.add_listener
def quitting(environment, **_):
    say("quitting")

@events.request.add_listener
def on_request(request_type, name, response_time, response_length, exception, context, **_):
    assert response_time > 0 and exception is None and (name == "/echo" or context["tenant"])

def about(page):
    page.client.get("/plain", name="about")

class Browsing(TaskSet):
    tasks = {about: 1}
    wait_time = constant(5)

    def on_start(self):
        self.client.get("/plain", name="enter")

    @tag("deep")
    @task(3)
    class Deeper(TaskSet):
        @task
        def deep(self):
            self.client.get("/plain", name="deep")
            self.interrupt()

class Buying(SequentialTaskSet):
    @task
    def look(self):
        self.client.get("/plain", name="look")

    @task
    def pay(self):
        with self.client.post("/missing", {"a": 1}, name="pay", catch_response=True) as response:
            if response.status_code == 404:
                response.success()
        self.interrupt()

class Person(HttpUser):
    abstract = True
    wait_time = constant(0.01)

    def context(self):
        return {"tenant": self.environment.parsed_options.tenant}

    def on_start(self):
        self.client.headers["X-Tenant"] = self.environment.parsed_options.tenant

    def on_stop(self):
        say(f"on_stop {type(self).__name__}")

class Reader(Person):
    weight = 3
    tasks = [Browsing]

class Buyer(Person):
    fixed_count = 1
    tasks = [Buying]
"""


class Shop:
    """A folder in which Locust is started."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(textwrap.dedent(text))

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "seatrial.load", "--headless", "--only-summary", *arguments]
        done = subprocess.run(
            [*command, "--request-log", "requests.parquet"],
            cwd=self.folder,
            env={**os.environ, "HOME": str(self.folder), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def names(self) -> list[str]:
        return [str(name) for name in pq.read_table(self.folder / "requests.parquet")["name"].to_pylist()]

    def said(self) -> list[str]:
        return (self.folder / "said.txt").read_text().splitlines()


@pytest.fixture
def shop(tmp_path: Path, http_server: Any) -> Shop:
    return Shop(tmp_path, http_server.url)


def test_a_locustfile_with_all_that_people_use(shop: Shop, http_server: Any) -> None:
    shop.write("locustfile.py", SHOP)
    code, output = shop.run("--host", shop.url, "--rate", "100/s", "--duration", "0.6s", "--tenant", "acme")
    assert code == 0, output
    names = shop.names()
    assert {"enter", "about", "deep", "look", "pay"} == set(names)
    assert names.count("enter") < 10, "a user who has entered stays"
    reads, buys = names.count("about") + names.count("deep"), names.count("look")
    assert reads + buys == 60
    assert 5 <= buys <= 26, "a quarter: fixed_count counts as a weight"
    assert names.count("pay") == buys
    assert {request.headers["x-tenant"] for request in http_server.requests} == {"acme"}
    said = shop.said()
    assert said[:3] == ["init acme", "test_start", "spawning_complete 1"]
    assert said[-2:] == [f"test_stop {len(names)}", "quitting"]
    assert set(said[3:-2]) == {"on_stop Reader", "on_stop Buyer"}
    assert "shares of the arrivals: Reader 0.75, Buyer 0.25; fixed_count is a number of users" in output
    assert (
        "wait_time of Reader, Buyer, Browsing means nothing beyond the waits between the steps of Buying"
        in output
    )
    assert "ERROR" not in output


def test_configuration_files_variables_tags_and_classes_count_as_ever(shop: Shop) -> None:
    shop.write("locustfile.py", SHOP)
    shop.write("locust.conf", f"host = {shop.url}\nrate = 50/s\ntenant = globex\n")
    code, output = shop.run("Reader", LOCUST_EXCLUDE_TAGS="deep", LOCUST_DURATION="0.2s")
    assert code == 0, output
    assert shop.said()[0] == "init globex"
    assert set(shop.names()) == {"enter", "about"}
    assert len(shop.names()) >= 11


def test_several_files_and_a_shape_that_does_not_count(shop: Shop) -> None:
    shop.write("shop.py", SHOP)
    shop.write(
        "admin.py",
        """
        from locust import FastHttpUser, LoadTestShape, task
        class Forwarded(FastHttpUser):
            "Has no tasks, and is not marked as abstract."
        class Admin(Forwarded):
            min_wait, max_wait = 1000, 5000
            @task
            def audit(self):
                with self.rest("GET", "/echo") as response:
                    assert response.js["method"] == "GET"
        class Steps(LoadTestShape):
            def tick(self):
                at_s = self.get_run_time()
                return (10, 10) if at_s < 30 else (20, 10) if at_s < 60 else None
        """,
    )
    code, output = shop.run(
        *("-f", "shop.py,admin.py", "--host", shop.url, "--tenant", "acme"),
        *("--rate", "100/s", "--duration", "0.3s", "Admin", "Forwarded"),
    )
    assert code == 0, output
    assert shop.names() == ["/echo"] * 30
    said = "Steps shapes a number of users and does not count here: arrivals come by --rate; with the same peak it"
    assert f"{said} would be --rate 0s=3000/min,30s=6000/min" in output
    assert (
        "Admin.min_wait and max_wait are of Locust before 1.0, and are not waited; write wait_time = between(1, 5)"
        in output
    )
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("    task_set = TaskSet", "Old has no tasks: task_set is of Locust before 1.0; write tasks = [TaskSet]"),
        pytest.param("    pass", "Old has no tasks; mark its methods with @task", marks=pytest.mark.long),
        ("    proxy_host = 'proxy'\n    @task\n    def go(self): ...", "Old.proxy_host: whom a proxy asks cannot be held"),
        ("    @tag('a')\n    @task\n    def go(self): ...", "--tags and --exclude-tags leave no task to run"),
    ],
)  # fmt: skip
def test_what_cannot_be_driven_is_one_line(shop: Shop, body: str, says: str) -> None:
    imports = "from locust import FastHttpUser, TaskSet, tag, task\n"
    shop.write("locustfile.py", f"{imports}class Old(FastHttpUser):\n{body}\n")
    code, output = shop.run("--host", shop.url, "--rate", "1/s", *(("--tags", "b") if "tag(" in body else ()))
    assert code == 64
    assert says in output
    assert "Traceback" not in output


def test_a_listener_that_fails_as_the_test_starts_is_no_secret(shop: Shop, tmp_path: Path) -> None:
    shop.write(
        "locustfile.py",
        """
        from locust import HttpUser, events, task
        @events.test_start.add_listener
        def prepare(environment, **_):
            raise LookupError("no token")
        class Visitor(HttpUser):
            @task
            def home(self):
                self.client.get("/plain")
        """,
    )
    shop.run("--host", shop.url, "--rate", "50/s", "--duration", "0.1s", "--spool", str(tmp_path / "spool"))
    spool = (tmp_path / "spool" / "worker-0.spool").read_bytes()
    assert b"LookupError: no token" in spool
    assert b"locustfile.py:5" in spool
