"""A server for shops with several tenants: one for all tests of a worker, each with a shop of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.postgres import PASSWORD, Database
from tests.support.tenants import Shop, shops


@pytest.fixture(scope="package")
def shop_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with shops(tmp_path_factory.mktemp("shops")) as server:
        yield server


@pytest.fixture
def shop(shop_server: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Shop]:
    monkeypatch.setenv("TENANTS_PASSWORD", PASSWORD)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    return lambda count: Shop(shop_server, f"shop_{uuid.uuid4().hex[:8]}", count, tmp_path)
