"""What the README has a newcomer write, run as it stands there: only the port is another, and the run shorter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.edges import release

pytestmark = pytest.mark.e2e

README = (Path(__file__).parents[2] / "README.md").read_text()


def section(title: str) -> str:
    return README.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_a_deploy_of_ones_own_service_is_measured_as_the_readme_says(tmp_path: Path) -> None:
    written = section("Your own service, in ten minutes")
    files = re.findall(r"```\w+\n# (\S+)\n(.*?)```", written, re.DOTALL)
    assert [name for name, _ in files] == ["target.yaml", "locustfile.py", "deploy.yaml"]
    commands = re.findall(r"^\$ (seatrial [^#\n]*)", written, re.MULTILINE)
    (tmp_path / "deploy.sh").write_text("#!/bin/sh\necho deployed $1\n")
    (tmp_path / "deploy.sh").chmod(0o755)
    with release("blue") as address:
        for name, content in files:
            here = content.replace("127.0.0.1:9000", address).replace("20s", "4s").replace("at: 5s", "at: 1s")
            (tmp_path / name).write_text(here)
        for command in commands:
            done = subprocess.run(
                [sys.executable, "-m", *command.split()],
                cwd=tmp_path,
                env=os.environ | {"SEATRIAL_HOME": str(tmp_path / "home")},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode in (0, 2), done.stdout + done.stderr  # 2: a busy machine, honestly late
    assert "downtime after deploy" in done.stdout + done.stderr
    (said,) = tmp_path.glob("runs/*/step-deploy.log")
    assert said.read_text() == "deployed green\n"
