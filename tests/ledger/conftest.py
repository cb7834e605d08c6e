"""A key, and a ledger of five small segments with a checkpoint after every 40 entries."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.ledger_tampering import NAME, write_pristine

from seatrial.ledger import SoftwareSigner


@pytest.fixture(scope="session")
def signer() -> SoftwareSigner:
    return SoftwareSigner.generate(NAME)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory, signer: SoftwareSigner) -> Path:
    """Not to be written to: copy it."""
    directory = tmp_path_factory.mktemp("pristine") / "ledger"
    write_pristine(directory, signer)
    return directory
