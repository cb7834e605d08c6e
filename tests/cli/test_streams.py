"""What is written is written in order and whole, and what cannot be written ends nothing."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from seatrial.cli.streams import Aside, Output

SEATRIAL = f'"{sys.executable}" -m seatrial'


def shell(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {script}"], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_reader_who_has_left_is_no_failure_that_anybody_waits_to_hear_of() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    output = Output(writing)
    assert output.write(b"aye") == 3
    assert output.failure is not None
    assert (output.failure.errno, output.unsaid) == (errno.EPIPE, "")
    os.close(writing)
    assert output.write(b"aye") == 3, "nothing is tried again"


def test_a_full_disk_is_told() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    output = Output(full)
    assert output.write(b"aye") == 3
    os.close(full)
    assert output.unsaid == "No space left on device"


def test_a_disk_that_fails_is_no_terminal_that_has_hung_up(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        output = Output(file.fileno())
        output.failure = OSError(errno.EIO, "Input/output error")
        assert output.unsaid == "Input/output error"


def test_a_terminal_that_has_hung_up_is_told_nothing_more() -> None:
    master, slave = os.openpty()
    output = Output(slave)
    os.close(master)
    assert output.write(b"aye") == 3
    assert output.failure is not None
    assert (output.failure.errno, output.unsaid, output.isatty()) == (errno.EIO, "", False)
    os.close(slave)


def test_a_descriptor_that_others_have_made_non_blocking_gets_everything() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    text = bytes(range(256)) * 4096  # more than a pipe holds

    def write() -> None:
        Output(writing).write(text)
        os.close(writing)

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == text
    thread.join()


def test_aside_keeps_the_order_and_waits_only_at_the_end() -> None:
    reading, writing = os.pipe()
    aside = Aside(Output(writing))
    pieces = [f"{number}\n".encode() for number in range(20_000)]
    for piece in pieces:  # together more than a pipe holds, and nobody reads yet
        aside.write(piece)
    expected = b"".join(pieces)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read(len(expected)) == expected
    aside.drain()
    os.close(writing)


def test_aside_does_not_hoard_for_a_reader_who_never_comes() -> None:
    gate = threading.Event()

    class Stuck(Output):
        def write(self, data: object, /) -> int:
            gate.wait()
            return 0

    aside = Aside(Stuck(2))
    for _ in range(40):
        assert aside.write(bytes(100_000)) == 100_000
    assert aside._unread <= 1 << 20
    gate.set()
    aside.drain()
    assert aside._unread == 0


LONG = "schedule next schedules/monthly.yaml --count 600 --json"  # more than a pipe holds


@pytest.mark.parametrize(
    ("arguments", "code", "streams"),
    [
        *((short, code, streams) for short, code in (("nonsense", 64), ("testbed status", 2))
          for streams in ("| head -c 1", "2>&1 | true", "<&- >&- 2>&-", ">&- 2>/dev/full")),
        (LONG, 0, "| head -c 1"),
    ],
)  # fmt: skip
def test_no_loss_of_a_stream_changes_what_an_exit_code_means(
    tmp_path_factory: pytest.TempPathFactory, arguments: str, code: int, streams: str
) -> None:
    done = shell(f"SEATRIAL_HOME={tmp_path_factory.mktemp('home')} {SEATRIAL} {arguments} {streams}")
    assert done.returncode == code, done.stderr
    assert "Error" not in done.stderr


def test_a_command_that_only_prints_has_not_done_it_on_a_full_disk() -> None:
    done = shell(f"{SEATRIAL} schedule export --systemd schedules/monthly.yaml >/dev/full")
    assert done.returncode == 2
    assert "standard output: No space left on device" in done.stderr


@pytest.mark.parametrize(("encoding", "dash"), [("utf-8", "–"), ("ascii", "\\u2013")])
def test_json_is_json_in_any_encoding(encoding: str, dash: str) -> None:
    code = "from seatrial.cli.streams import open_streams as o; o(); from seatrial.cli.terminal import *; print_json('–'); say('–')"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True, check=False,
    )  # fmt: skip
    assert (done.stdout.decode(encoding), done.stderr.decode(encoding)) == (f'"{dash}"\n', f"{dash}\n")
