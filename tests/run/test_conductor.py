"""Health before a run: what is told of a target that is not well."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.model.problems import Unavailable
from seatrial.run import files
from seatrial.run.conductor import require_healthy
from seatrial.run.plan import make_plan


def test_a_target_that_is_not_well_is_told_without_its_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_TOKEN", "s3cret-T0ken")
    Path("scenario.py").write_text("")
    Path("x.yaml").write_text("experiment: x\nload: {scenario: scenario.py, rate: 1/s}\nduration: 1s\n")
    Path("t.yaml").write_text(
        'target: shop\nbase_url: "http://user:${SHOP_TOKEN}@127.0.0.1:1"\nready: /ready\n'
    )
    plan = make_plan(files.read("x.yaml", "experiment"), files.read("t.yaml", "target"))
    with pytest.raises(Unavailable, match=r"shop is not healthy: GET http://127\.0\.0\.1:1/ready: .*refused"):
        require_healthy(plan, within_s=0.0)
