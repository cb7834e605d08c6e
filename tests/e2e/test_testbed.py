"""The testbed in service: what it serves, and what can be done to its parts."""

from __future__ import annotations

import csv
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import psycopg
import pytest
import yaml
from tests.support.waiting import wait_until

from seatrial import testbed as shipped
from seatrial.model.document import parse
from seatrial.model.target import Target
from seatrial.processes import is_running
from seatrial.testbed import TestbedState
from seatrial.testbed.parts.haproxy import LOG_COLUMNS
from seatrial.testbed.places import Places
from seatrial.testbed.programs import find_hsm, find_monitoring

pytestmark = pytest.mark.e2e


@pytest.fixture
def shop(testbed: TestbedState) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=testbed.base_url, headers={"X-Tenant": "acme"}, timeout=5) as client:
        yield client


def part(testbed: TestbedState, operation: str, name: str) -> subprocess.CompletedProcess[str]:
    """As the commands in target.yaml do it."""
    command = [sys.executable, "-P", "-m", "seatrial.testbed", "--home", str(testbed.root.parent)]
    return subprocess.run([*command, operation, name], capture_output=True, text=True, check=False)


def edge_command(testbed: TestbedState, line: str) -> str:
    """One command on HAProxy's statistics socket."""
    edge = yaml.safe_load(testbed.target.read_text())["roles"]["edge"]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(edge["socket"])
        connection.sendall(line.format(map=edge["map"]).encode() + b"\n")
        with connection.makefile() as answer:
            return answer.read().strip()


def superuser(testbed: TestbedState) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to the primary, as target.yaml and secrets.env describe it."""
    url: str = yaml.safe_load(testbed.target.read_text())["roles"]["database"]["url"]
    for name, value in shipped.passwords(testbed.root.parent).items():
        url = url.replace(f"${{{name}}}", value)
    return psycopg.connect(url, autocommit=True)


def test_its_target_file_is_valid(testbed: TestbedState) -> None:
    target = Target.model_validate(parse(testbed.target.read_text(), "target.yaml").data)
    assert target.base_url == testbed.base_url


def test_every_part_runs(testbed: TestbedState) -> None:
    found = shipped.status(testbed.root.parent)
    assert found is not None
    assert found.phase == "ready"
    assert len(found.parts) == 14 + (find_hsm() is not None) + 2 * (find_monitoring() is not None)
    for one in found.parts:
        assert one.process is not None
        assert is_running(one.process)
        assert one.process.pid == int(Places(testbed.root).pid(one.name).read_text())


def test_up_again_finds_it_up(testbed: TestbedState) -> None:
    told: list[str] = []
    assert shipped.up(told.append, testbed.root.parent).supervisor == testbed.supervisor
    assert told == ["already up"]


def test_it_serves_and_says_who_served(shop: httpx.Client) -> None:
    key = f"order {uuid4()}"
    order = {"sku": "sku-007", "quantity": 3}
    placed = shop.post("/orders", json=order, headers={"Idempotency-Key": key})
    assert (placed.status_code, placed.headers["X-Region"]) == (201, "east")
    again = shop.post("/orders", json=order, headers={"Idempotency-Key": key})
    assert (again.status_code, again.json()) == (200, placed.json())

    expected = {"id": placed.json()["id"], "key": key, "tenant": "acme", **order}
    assert shop.get(f"/orders/{key}").json() == expected
    assert shop.post("/orders/lookup", json={"keys": [key, "none"]}).json() == {"orders": [expected]}
    before = shop.get("/orders", params={"after": expected["id"] - 1, "limit": 1}).json()
    assert before == {"orders": [expected], "next": expected["id"]}
    assert shop.get(f"/orders/{key}", headers={"X-Tenant": "globex"}).status_code == 404

    assert len(shop.get("/catalogue").json()["products"]) == 100
    for _ in range(2):  # from the database, from the cache
        assert shop.get("/catalogue/sku-100").json()["title"] == "Product 100"
    assert shop.get("/readyz").status_code == 200


def test_an_order_that_is_placed_many_times_at_once_is_placed_once(shop: httpx.Client) -> None:
    key, order = str(uuid4()), {"sku": "sku-001", "quantity": 1}

    def place(_: int) -> httpx.Response:
        return shop.post("/orders", json=order, headers={"Idempotency-Key": key})

    with ThreadPoolExecutor(8) as several:
        answers = list(several.map(place, range(24)))
    assert sorted(answer.status_code for answer in answers) == [200] * 23 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_tenant_sees_nothing_of_another_even_with_a_wrong_grant(
    testbed: TestbedState, shop: httpx.Client
) -> None:
    shop.post(
        "/orders", json={"sku": "sku-001", "quantity": 1}, headers={"Idempotency-Key": str(uuid4())}
    ).raise_for_status()
    with superuser(testbed) as connection, connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL ROLE globex")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute("SELECT * FROM acme.orders")
        connection.execute("RESET ROLE")
        connection.execute("GRANT USAGE ON SCHEMA acme TO globex; GRANT SELECT ON acme.orders TO globex")
        connection.execute("SET LOCAL ROLE globex")
        assert connection.execute("SELECT count(*) FROM acme.orders").fetchone() == (0,)
        connection.execute("SET LOCAL ROLE acme")
        count = connection.execute("SELECT count(*) FROM acme.orders").fetchone()
        assert count is not None
        assert count != (0,)


def test_the_standby_is_synchronous(testbed: TestbedState) -> None:
    cluster = httpx.get(f"http://{testbed.topology.members[1].rest}/cluster").json()
    roles = {member["name"]: member["role"] for member in cluster["members"]}
    assert sorted(roles.values()) == ["leader", "sync_standby"]
    with superuser(testbed) as connection:
        assert connection.execute("SELECT sync_state FROM pg_stat_replication").fetchall() == [("sync",)]


@dataclass
class Load:
    """What clients saw: who answered each request, or why nobody did. `mark` is in every URL of it."""

    mark: str
    answers: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@contextmanager
def load(base_url: str, clients: int = 2) -> Iterator[Load]:
    """Reads and writes, one after the other, from a few clients, until the block ends."""
    seen, over = Load(uuid4().hex), threading.Event()

    def client() -> None:
        with httpx.Client(base_url=base_url, headers={"X-Tenant": "umbrella"}, timeout=5) as shop:
            while not over.is_set():
                for answer in (
                    shop.get(f"/catalogue/sku-050?{seen.mark}"),
                    shop.post(
                        f"/orders?{seen.mark}",
                        json={"sku": "sku-050", "quantity": 1},
                        headers={"Idempotency-Key": str(uuid4())},
                    ),
                ):
                    good = answer.is_success
                    (seen.answers if good else seen.failures).append(
                        answer.headers["X-Release"] if good else f"{answer.status_code} {answer.text}"
                    )

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(client) for _ in range(clients)]
        try:
            yield seen
        finally:
            over.set()
    for one in running:
        one.result()


def test_switching_between_blue_and_green_under_load_fails_no_request(testbed: TestbedState) -> None:
    with load(testbed.base_url) as seen:
        for release in ("green", "blue", "green", "blue"):
            wait_until(lambda: len(seen.answers) > 20)
            edge_command(testbed, f"set map {{map}} active {release}")
            answered = len(seen.answers)
            wait_until(lambda answered=answered: len(seen.answers) > answered + 50)  # type: ignore[misc]
            assert seen.answers[-1] == release
    assert not seen.failures
    assert {"blue", "green"} == set(seen.answers)

    wait_until(lambda: len(_edge_log(testbed, seen.mark)) >= len(seen.answers))
    rows = _edge_log(testbed, seen.mark)
    assert len(rows) == len(seen.answers), "the edge's own log has every request, once"
    assert {row["status"] for row in rows} == {"200", "201"}
    for release in ("blue", "green"):
        assert sum(row["backend"] == release for row in rows) == seen.answers.count(release)


def _edge_log(testbed: TestbedState, mark: str) -> list[dict[str, str]]:
    lines = Places(testbed.root).log("edge").read_text().splitlines()
    return [dict(zip(LOG_COLUMNS, line.split(), strict=True)) for line in lines if line.endswith(mark)]


def test_a_stopped_release_is_seen_and_a_started_one_serves(testbed: TestbedState) -> None:
    stopped = part(testbed, "stop", "green")
    assert stopped.stdout.startswith("stop east.green, west.green: done"), stopped.stderr
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{testbed.topology.regions[0].green}/healthz")
    found = shipped.status(testbed.root.parent)
    assert found is not None
    assert found.part("east.green").condition == "stopped"
    told: list[str] = []
    shipped.up(told.append, testbed.root.parent)
    assert told == ["already up; not running: east.green (stopped), west.green (stopped)"]

    assert part(testbed, "start", "green").returncode == 0
    answer = httpx.get(f"http://{testbed.topology.regions[0].green}/healthz")
    assert answer.json() == {"release": "green", "region": "east"}
    wait_until(lambda: _edge_sends_to(testbed, "green"))


def _edge_sends_to(testbed: TestbedState, release: str) -> bool:
    """Whether a server of the release is up for the edge."""
    table = edge_command(testbed, "show stat").removeprefix("# ").splitlines()
    return any(row["pxname"] == release and row["status"] == "UP" for row in csv.DictReader(table))


@pytest.mark.root
def test_the_edge_goes_west_while_it_cannot_reach_east(testbed: TestbedState, shop: httpx.Client) -> None:
    """The database stays where it is: east and west still reach each other."""
    network = testbed.topology.network
    if network is None:
        pytest.skip("without network namespaces there are no partitions")

    def place() -> tuple[int, str]:
        order = {"sku": "sku-001", "quantity": 1}
        answer = shop.post("/orders", json=order, headers={"Idempotency-Key": str(uuid4())})
        return answer.status_code, answer.headers.get("X-Region", "")

    edge, east = network.subnet("edge"), network.subnet("east")
    nft = ("ip", "netns", "exec", network.router, "nft")
    rules = f"ip saddr {edge} ip daddr {east} drop; ip saddr {east} ip daddr {edge} drop;"
    chain = f"chain f {{ type filter hook forward priority 0; policy accept; {rules} }};"
    subprocess.run((*nft, f"table inet test {{ {chain} }}"), check=True)
    try:
        wait_until(lambda: place() == (201, "west"))
    finally:
        subprocess.run((*nft, "delete table inet test"), check=True)
    wait_until(lambda: place() == (201, "east"))


def test_reads_survive_a_cache_that_hangs_or_is_gone(testbed: TestbedState, shop: httpx.Client) -> None:
    for break_it, mend_it in (("pause", "resume"), ("kill", "start")):
        assert part(testbed, break_it, "cache").returncode == 0
        assert shop.get("/catalogue/sku-021").status_code == 200
        assert part(testbed, mend_it, "cache").returncode == 0
    wait_until(lambda: shop.get("/catalogue/sku-021").status_code == 200)


def test_a_part_that_nobody_knows_is_refused_with_a_hint(testbed: TestbedState) -> None:
    refused = part(testbed, "stop", "east.bleu")
    assert refused.returncode == 2
    assert refused.stderr.strip() == "testbed: unknown part 'east.bleu'; did you mean 'east.blue'?"
