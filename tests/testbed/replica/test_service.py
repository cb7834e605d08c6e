"""The routes: what they answer, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.replica_in_process import EPOCH_S, Launch, run_bounded

from seatrial.testbed.replica.state import digest


def test_settings_counters_and_sets(launch: Launch) -> None:
    async def steps() -> None:
        async with launch("east") as east:
            http = east.http
            put = await http.put(
                "/settings/acme/theme", json={"value": "dark"}, headers={"Idempotency-Key": "k1"}
            )
            assert (put.status_code, put.headers["X-Region"]) == (201, "east")
            again = await http.put(
                "/settings/acme/theme", json={"value": "dark"}, headers={"Idempotency-Key": "k1"}
            )
            assert again.status_code == 200
            assert again.headers["X-Causal-Token"] == put.headers["X-Causal-Token"]
            read = await http.get("/settings/acme/theme")
            stamp = [round(EPOCH_S * 1e6), 0]
            assert read.json() == {"value": "dark", "key": "k1", "stamp": stamp, "origin": "east"}
            for key, amount in (("k2", 5), ("k3", -2), ("k3", -2)):
                await http.post(
                    "/counters/acme/visits", json={"add": amount}, headers={"Idempotency-Key": key}
                )
            assert (await http.get("/counters/acme/visits")).json() == {"value": 3}
            assert (await http.get("/counters/acme/none")).json() == {"value": 0}
            await http.put("/sets/acme/team/ada", headers={"Idempotency-Key": "k4"})
            await http.put("/sets/acme/team/bob", headers={"Idempotency-Key": "k5"})
            await http.delete("/sets/acme/team/bob", headers={"Idempotency-Key": "k6"})
            assert (await http.get("/sets/acme/team")).json() == {"members": ["ada"]}
            state = await http.get("/state")
            assert state.headers["X-State-Digest"] == digest(state.content)
            first = (await http.get("/history", params={"limit": 4})).json()
            rest = (await http.get("/history", params={"after": first["next"]})).json()
            keys = [each["key"] for each in first["operations"] + rest["operations"]]
            assert keys == ["k1", "k2", "k3", "k4", "k5", "k6"]
            assert (await http.get("/history", params={"after": rest["next"]})).json()["next"] is None
            assert (await http.get("/healthz")).json() == {"region": "east"}

    run_bounded(steps())


def test_a_write_with_a_token_is_ordered_after_what_was_read_elsewhere(launch: Launch) -> None:
    async def steps() -> None:
        async with launch("east", offset_s=5.0) as east, launch("west", offset_s=-5.0) as west:
            await east.http.put(
                "/settings/acme/theme", json={"value": "dark"}, headers={"Idempotency-Key": "k1"}
            )
            read = await east.http.get("/settings/acme/theme")
            token = read.headers["X-Causal-Token"]
            blind = await west.http.put(
                "/settings/acme/a", json={"value": "x"}, headers={"Idempotency-Key": "k2"}
            )
            knowing = await west.http.put(
                "/settings/acme/b",
                json={"value": "x"},
                headers={"Idempotency-Key": "k3", "X-Causal-Token": token},
            )
            assert blind.json()["stamp"] < read.json()["stamp"] < knowing.json()["stamp"]

    run_bounded(steps())


KEY = {"Idempotency-Key": "k"}
REFUSED: list[tuple[str, str, dict[str, Any], int]] = [
    ("PUT", "/settings/acme/theme", {"json": {"value": "dark"}}, 400),
    ("PUT", "/settings/acme/theme", {"json": {"value": 1}, "headers": KEY}, 422),
    ("PUT", "/settings/acme/theme", {"json": {"value": "x" * 4_097}, "headers": KEY}, 422),
    ("PUT", "/settings/acme/theme", {"content": b"x" * 70_000, "headers": KEY}, 413),
    ("PUT", "/settings/acme/theme", {"content": b"[]", "headers": KEY}, 400),
    ("PUT", "/settings/acme/theme", {"content": b"{", "headers": KEY}, 400),
    ("PUT", "/settings/acme/theme", {"json": {"value": "x"}, "headers": KEY | {"X-Causal-Token": "soon"}}, 400),
    ("PUT", "/settings/acme/theme", {"json": {"value": "x"}, "headers": KEY | {"X-Causal-Token": "9999999999999999.0"}}, 503),
    ("PUT", f"/settings/acme/{'n' * 201}", {"json": {"value": "x"}, "headers": KEY}, 400),
    ("POST", "/counters/acme/visits", {"json": {"add": True}, "headers": KEY}, 422),
    ("POST", "/counters/acme/visits", {"json": {"add": 1.5}, "headers": KEY}, 422),
    ("POST", "/counters/acme/visits", {"json": {"add": 10**10}, "headers": KEY}, 422),
    ("PUT", f"/sets/acme/team/{'m' * 201}", {"headers": KEY}, 400),
    ("GET", "/settings/acme/none", {}, 404),
    ("GET", "/history?after=x", {}, 400),
    ("GET", "/replication/operations?by=north&after=0", {}, 403),
    ("POST", "/admin/clock", {"json": {"offset_s": "5"}}, 422),
    ("POST", "/admin/clock", {"json": {"offset_s": 1e9}}, 422),
    ("POST", "/admin/clock", {"content": b'{"offset_s": NaN}'}, 422),
    ("POST", "/admin/replication", {"json": {"paused": 1}}, 422),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "options", "status"), REFUSED)
def test_what_cannot_be_served_says_why(
    launch: Launch, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    async def steps() -> None:
        async with launch("east") as east:
            answer = await east.http.request(method, path, **options)
            assert answer.status_code == status
            assert answer.json()["error"]
            assert east.replica.issued == 0

    run_bounded(steps())


def test_a_key_of_another_write_is_refused(launch: Launch) -> None:
    async def steps() -> None:
        async with launch("east") as east:
            await east.http.post("/counters/acme/visits", json={"add": 1}, headers=KEY)
            answer = await east.http.post("/counters/acme/visits", json={"add": 2}, headers=KEY)
            assert (answer.status_code, answer.json()["error"]) == (
                422,
                "Idempotency-Key: k is another write's",
            )

    run_bounded(steps())


@pytest.mark.parametrize("path", ["/admin/clock", "/admin/replication"])
def test_faults_are_for_this_machine_and_its_operators_only(launch: Launch, path: str) -> None:
    async def steps() -> None:
        async with launch("east", client="192.0.2.7") as east:
            assert (await east.http.post(path, json={"offset_s": 5, "paused": True})).status_code == 403
            assert east.replica.clock.offset_s == 0.0

    run_bounded(steps())


def test_an_operator_may_make_the_clock_wrong_from_elsewhere(launch: Launch) -> None:
    async def steps() -> None:
        async with launch("east", client="192.0.2.7", operators=frozenset({"192.0.2.7"})) as east:
            assert (await east.http.post("/admin/clock", json={"offset_s": -5})).is_success
            assert east.replica.clock.offset_s == -5.0

    run_bounded(steps())


def test_the_clock_can_be_made_wrong(launch: Launch) -> None:
    async def steps() -> None:
        async with launch("east") as east:
            assert (await east.http.post("/admin/clock", json={"offset_s": 5})).json() == {"offset_s": 5.0}
            answer = await east.http.post("/counters/acme/visits", json={"add": 1}, headers=KEY)
            assert answer.json()["stamp"] == [round((EPOCH_S + 5) * 1e6), 0]

    run_bounded(steps())


def test_peers_are_offered_what_they_lack_and_what_they_have_is_known(launch: Launch) -> None:
    async def steps() -> None:
        async with launch("east") as east:
            http = east.http
            for number in range(3):
                await http.post(
                    "/counters/acme/visits", json={"add": 1}, headers={"Idempotency-Key": f"k{number}"}
                )
            batch = (await http.get("/replication/operations", params={"by": "west", "after": 1})).json()
            assert batch["issued"] == 3
            assert [each["number"] for each in batch["operations"]] == [2, 3]
            sent = (await http.get("/replication")).json()["peers"]["west"]["sent"]
            assert sent == {"acknowledged": 1, "behind_operations": 2, "behind_s": 0.0}
            east.replica.clock.now = lambda: EPOCH_S + 7
            assert (await http.get("/replication")).json()["peers"]["west"]["sent"]["behind_s"] == 7.0

    run_bounded(steps())


def test_a_paused_replica_offers_nothing(launch: Launch) -> None:
    async def steps() -> None:
        async with launch("east") as east:
            assert (await east.http.post("/admin/replication", json={"paused": True})).json() == {
                "paused": True
            }
            answer = await east.http.get("/replication/operations", params={"by": "west", "after": 0})
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert (await east.http.get("/replication")).json()["paused"]

    run_bounded(steps())
