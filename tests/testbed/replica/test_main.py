"""What a replica is told when it starts, and what it says when it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.testbed.replica.__main__ import ReplicaSettings, main


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--peer", "http://127.0.0.1:1"], "write it like west=http://"),
        (["--peer", "east=http://127.0.0.1:1"], "no peer of its own"),
    ],
)
def test_bad_arguments_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert main(["--region", "east", "--port", "1", "--data", str(tmp_path), *arguments]) == 64
    assert says in capsys.readouterr().err


def test_a_damaged_log_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "operations.sqlite").write_bytes(b"nothing of the kind" * 100)
    assert main(["--region", "east", "--port", "1", "--data", str(tmp_path)]) == 64
    assert "the operation log is damaged" in capsys.readouterr().err


def test_the_clocks_offset_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOCK_OFFSET_S", "-5")
    settings = ReplicaSettings.parse(
        ["--region", "e", "--port", "1", "--data", str(tmp_path), "--peer", "w=http://h:1/"]
    )
    assert (settings.clock_offset_s, settings.peers) == (-5.0, {"w": "http://h:1"})
