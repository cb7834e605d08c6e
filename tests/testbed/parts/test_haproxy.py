from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from seatrial.testbed import programs
from seatrial.testbed.parts import haproxy
from seatrial.testbed.topology import Topology


def test_the_edge_chooses_by_map_and_hides_nothing(topology: Topology) -> None:
    text = haproxy.edge_config(topology, Path("/s"))
    assert "use_backend %[str(active),map(active.map,blue)]" in text
    assert 'stats socket "/s/edge.sock" mode 600 level admin' in text
    assert "retries 0" in text
    assert "redispatch" not in text
    for release in ("blue", "green"):
        assert f"server east.{release} {topology.regions[0].release(release)}\n" in text
        assert f"server west.{release} {topology.regions[1].release(release)} backup\n" in text


def test_the_log_has_the_columns_that_are_declared(topology: Topology) -> None:
    line = next(
        line for line in haproxy.edge_config(topology, Path("/s")).splitlines() if "log-format" in line
    )
    assert len(line.split('"')[1].split()) == len(haproxy.LOG_COLUMNS)


def test_the_proxy_asks_patroni_and_cuts_connections_to_a_former_primary(topology: Topology) -> None:
    text = haproxy.proxy_config(topology.regions[0], topology.members)
    assert "option httpchk GET /primary" in text
    assert "on-marked-down shutdown-sessions" in text
    for member in topology.members:
        assert f"server {member.name} {member.postgres} addr 127.0.0.1 port {member.rest.port}" in text


@pytest.mark.parametrize("origin", ["system", "wheel"])
def test_haproxy_accepts_both(
    origin: str, topology: Topology, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEATRIAL_HAPROXY", raising=False)
    if origin == "wheel":
        monkeypatch.setenv("PATH", "/nowhere")
        monkeypatch.setattr(programs, "_SYSTEM_PATH", ())
    sockets = tmp_path / "a b"
    sockets.mkdir()
    (tmp_path / haproxy.MAP).write_text("active blue\n")
    for text in (
        haproxy.edge_config(topology, sockets),
        haproxy.proxy_config(topology.regions[0], topology.members),
    ):
        (tmp_path / "haproxy.cfg").write_text(text)
        command = (programs.find_haproxy(), "-c", "-f", "haproxy.cfg")
        checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        assert "WARNING" not in checked.stderr
