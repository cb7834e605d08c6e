"""A frozen conductor: undone by lease, and whatever it does when it thaws is undone as well."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.kill_campaign import Trial, run_trial


@pytest.mark.parametrize("freeze_after_s", [0.0, 0.05, 0.1, 0.15])
def test_a_frozen_conductor_is_undone_by_lease(tmp_path: Path, freeze_after_s: float) -> None:
    result = run_trial(tmp_path / "trial", Trial(freeze_after_s=freeze_after_s, lease_s=0.5))
    assert not result.bad, result


def test_its_log_is_its_owners_alone_and_holds_no_secret(tmp_path: Path) -> None:
    log = tmp_path / "guardian.log"
    program = f"""
import logging, os, pathlib
from seatrial.undo import guardian
from seatrial.model import secrets
os.umask(0)
secrets.remember("s3cret-T0ken", "${{TOKEN}}")
guardian._log_to(pathlib.Path({str(log)!r}), "session")
logging.getLogger("httpx").info("HTTP Request: GET http://u:pw@host/?t=s3cret-T0ken")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert log.read_text().endswith(" session HTTP Request: GET http://u:***@host/?t=${TOKEN}\n")
