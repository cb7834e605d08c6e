"""command.run: programs with time limits, and no effect after its undo."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.support.waiting import wait_until

from seatrial.model.problems import TooLate, Unavailable
from seatrial.model.role import Role
from seatrial.processes import tagged
from seatrial.undo import registry

CONDUCTOR = """
import sys
from seatrial.undo import Undo, registry
undo = Undo.from_json(sys.argv[1])
registry.build(undo.fault, undo.with_).inject(undo)
"""


def run(**parameters: Any) -> Any:
    return registry.build("command.run", parameters)


def test_both_programs_run_where_the_target_stands(role: Role) -> None:
    fault = run(inject=["touch", "broken"], undo=["rm", "-f", "broken"], probe=["test", "!", "-e", "broken"])
    undo = fault.prepare(role)
    broken = Path(role.directory, "broken")
    assert not broken.exists()
    fault.inject(undo)
    assert broken.exists()
    with pytest.raises(Unavailable, match="test failed with 1"):
        fault.gone(undo)
    for _ in range(2):
        fault.undo(undo)
        assert not broken.exists()
    assert fault.healthy(role)
    assert fault.gone(undo)
    without = run(inject=["touch", "broken"], undo=["rm", "-f", "broken"])
    assert without.gone(without.prepare(role)) is None
    assert undo.by_hand == f"cd {role.directory} && rm -f broken"


def test_a_program_may_be_written_as_one_line_and_is_no_shell(role: Role) -> None:
    fault = run(inject="touch 'a file' $HOME", undo="true")
    fault.inject(fault.prepare(role))
    assert sorted(path.name for path in Path(role.directory).iterdir() if path.is_file()) == [
        "$HOME",
        "a file",
    ]


def test_what_goes_wrong_is_told(role: Role) -> None:
    fault = run(inject=["sh", "-c", "echo the disk is made of cheese >&2; exit 3"], undo=["true"])
    with pytest.raises(Unavailable, match="sh failed with 3: the disk is made of cheese"):
        fault.inject(fault.prepare(role))
    with pytest.raises(Unavailable, match="there is no program no-such-program"):
        run(inject=["no-such-program"], undo=["true"]).prepare(role)


def test_who_takes_too_long_is_ended_with_all_that_it_started(role: Role) -> None:
    fault = run(inject=["sh", "-c", "sleep 600 & sleep 600"], undo=["true"], within="200ms")
    undo = fault.prepare(role)
    with pytest.raises(TooLate, match=r"sh was not through within 0\.2s"):
        fault.inject(undo)
    assert tagged(undo.token) == []


def test_no_effect_comes_after_its_undo(role: Role) -> None:
    """The conductor dies while its program is about to do damage."""
    program = "echo started; sleep 600; touch broken"
    fault = run(inject=["sh", "-c", program], undo=["rm", "-f", "broken"], within="1h")
    undo = fault.prepare(role)
    conductor = subprocess.Popen([sys.executable, "-c", CONDUCTOR, undo.to_json()])
    wait_until(lambda: len(tagged(undo.token)) == 2)
    conductor.kill()
    conductor.wait()
    fault.undo(undo)
    assert tagged(undo.token) == []


def test_an_undo_ends_an_injection_that_is_under_way(role: Role) -> None:
    fault = run(inject=["sleep", "600"], undo=["true"], within="1h")
    undo = fault.prepare(role)
    complaints: list[str] = []

    def inject() -> None:
        try:
            fault.inject(undo)
        except Unavailable as error:
            complaints.append(str(error))

    thread = threading.Thread(target=inject)
    thread.start()
    wait_until(lambda: bool(tagged(undo.token)))
    fault.undo(undo)
    thread.join()
    assert complaints == ["sleep failed with -9"]


def test_a_secret_is_shown_neither_by_the_process_list_nor_by_what_a_program_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret-T0ken")
    role = Role("shop", "command", {}, ("127.0.0.1",), str(tmp_path))
    script = "tr '\\0' ' ' < /proc/$$/cmdline > list; echo refused ${SHOP_TOKEN} >&2; exit 3"
    fault = registry.build("command.run", {"inject": ["true"], "undo": ["sh", "-c", script]})
    undo = fault.prepare(role)
    with pytest.raises(Unavailable) as failed:
        fault.undo(undo)
    assert str(failed.value) == "sh failed with 3: refused ${SHOP_TOKEN}"
    assert (tmp_path / "list").read_text() == 'sh -c eval "$SEATRIAL_SCRIPT" '
    assert "echo refused ${SHOP_TOKEN}" in undo.by_hand
