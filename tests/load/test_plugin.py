"""Stock Locust, where seatrial is installed, on a file that knows nothing of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]
LOCUSTFILE = """
from locust import HttpUser, tag, task
class Visitor(HttpUser):
    @tag("brief")
    @task
    def plain(self):
        self.client.get("/plain")
        if self.environment.parsed_options.tags == ["brief"]:
            self.environment.runner.quit()
"""


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment of a program that finds seatrial's entry points, as an installation declares them."""
    points = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    metadata = tmp_path / "site" / "seatrial_here-0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: seatrial-here\nVersion: 0\n")
    lines = [
        f"[{group}]\n{name} = {where}\n" for group, found in points.items() for name, where in found.items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    (tmp_path / "shop.py").write_text(LOCUSTFILE)
    paths = [str(tmp_path / "site"), str(_ROOT / "src")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def locust(environment: dict[str, str], folder: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "locust", "-f", "shop.py", "--headless", "--only-summary", *arguments]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=40, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.e2e
def test_a_rate_drives_an_unmodified_file(installed: Any, tmp_path: Path, http_server: Any) -> None:
    code, said = locust(
        installed, tmp_path, "--host", http_server.url, "--rate", "50/s", "--duration", "0.4s"
    )
    assert code == 0, said
    assert "scheduled             20" in said
    assert len(http_server.requests) == 20


@pytest.mark.e2e
def test_without_a_rate_locust_does_what_it_always_did(
    installed: Any, tmp_path: Path, http_server: Any
) -> None:
    code, said = locust(installed, tmp_path, "--host", http_server.url, "--tags", "brief")
    assert code == 0, said
    assert "load generator" not in said
    assert {request.headers["user-agent"].partition("/")[0] for request in http_server.requests} == {
        "python-requests"
    }


def test_other_programs_are_left_alone(installed: Any) -> None:
    check = (
        "import sys; from gevent import monkey; monkey.patch_all();"
        "assert 'seatrial.load.plugin' in sys.modules and 'seatrial.load.hooks' not in sys.modules;"
        "assert not [each for each in sys.meta_path if type(each).__module__.startswith('seatrial')]"
    )
    subprocess.run([sys.executable, "-c", check], env=installed, check=True)
