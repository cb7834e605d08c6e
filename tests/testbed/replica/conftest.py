"""Replicas for the tests of the shell; the pure core needs no fixture."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.replica_in_process import Launch


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    return Launch(tmp_path)
