"""The packet filter of a network namespace: tables of our own, and nobody else's.

A table is named after a fault's token; it is made and removed in one transaction, and nothing is flushed.
Starting `nft` takes 4 to 10 ms and more under load, so whoever wants an effect at an instant opens a `Shell`
beforehand: one more line to a running `nft -i` takes effect within 0.5 ms.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from seatrial.model.problems import BadInput, Unavailable
from seatrial.processes import TAG

_ANSWER_WITHIN_S: Final = 5.0
_CAP_NET_ADMIN: Final = 1 << 12  # include/uapi/linux/capability.h
_NAMESPACES: Final = Path("/run/netns")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,100}")
_TABLE: Final = re.compile(r"^table inet (seatrial_[0-9a-f]{32})$", re.MULTILINE)


def lacking() -> str:
    """What this machine lacks for a packet filter, and what mends it; empty when nothing."""
    if sys.platform != "linux":
        return "nftables: runs on Linux only"
    if shutil.which("nft") is None or shutil.which("nsenter") is None:
        return "nft and nsenter: apt-get install nftables util-linux"
    effective = re.search(r"^CapEff:\s*([0-9a-f]+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    if effective is None or not int(effective[1], 16) & _CAP_NET_ADMIN:
        return "CAP_NET_ADMIN: run as root"
    return ""


def table_of(token: str) -> str:
    """The name of the table that belongs to a fault."""
    return f"seatrial_{token}"


def inside(namespace: str) -> list[str]:
    """What a command begins with to run in a namespace of `ip netns add`; the empty name is our own.

    Raises BadInput for what cannot be a name, Unavailable when there is no such namespace.
    """
    return ["nsenter", f"--net={place_of(namespace)}"] if namespace else []


def place_of(namespace: str) -> Path:
    """The file that stands for a namespace. Raises as `inside` does."""
    if not _NAME.fullmatch(namespace):
        raise BadInput(f"'{namespace}' is no name of a network namespace")
    place = _NAMESPACES / namespace
    if not place.exists():
        raise Unavailable(f"there is no network namespace {namespace} ({place})")
    return place


def is_there(namespace: str) -> bool:
    """Whether there is a namespace of this name; our own always is."""
    return not namespace or (_NAMESPACES / namespace).exists()


def run(namespace: str, script: str) -> str:
    """Run a script as one transaction; what nft printed. Raises Unavailable with its complaint."""
    return ask(namespace, ["nft", "-f", "-"], "nft", script)


def ask(namespace: str, command: Sequence[str], called: str, script: str | None = None) -> str:
    """Run a program in a namespace; what it printed. Raises Unavailable with its complaint.

    called: what the complaint begins with. script: what the program reads, if it reads something.
    """
    try:
        done = subprocess.run(
            [*inside(namespace), *command],
            input=script,
            capture_output=True,
            text=True,
            timeout=_ANSWER_WITHIN_S,
            check=False,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        raise Unavailable(f"{called}: {done.stderr.strip()[:300]}")
    return done.stdout


def tables(namespace: str) -> list[str]:
    """The names of the tables that are ours, by the form of their names."""
    return _TABLE.findall(run(namespace, "list tables inet\n"))


def remove(namespace: str, table: str) -> None:
    """Remove one table; nothing happens when it, or its whole namespace, is not there."""
    if not is_there(namespace):
        return
    run(namespace, f"table inet {table}\ndelete table inet {table}\n")  # adding it first makes deleting safe


class Shell:
    """A running `nft -i`, which saves the time that starting takes. `tag` marks the process as ours."""

    def __init__(self, namespace: str, tag: str) -> None:
        """Raises Unavailable when it cannot be started."""
        try:
            self._process = subprocess.Popen(
                [*inside(namespace), "nft", "-i"],
                env={**os.environ, TAG: tag},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable(f"nft: {error}") from error
        with contextlib.suppress(OSError):  # if it has ended already, `add` says so
            self._write("list tables inet\n")  # has it load what it needs before the first line that counts

    def _write(self, lines: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(lines.encode())
        self._process.stdin.flush()

    def add(self, table: str, body: str) -> None:
        """Make a table of one line, and return once the kernel has it. Raises Unavailable."""
        assert self._process.stdout is not None
        try:
            self._write(f"table inet {table} {{ {body} }}\nlist tables inet\n")
        except OSError as error:
            raise Unavailable(f"nft: {error}") from error
        said = b""
        deadline = time.monotonic() + _ANSWER_WITHIN_S
        while f"table inet {table}\n".encode() not in said:
            left = deadline - time.monotonic()
            if b"Error" in said or left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                raise Unavailable(f"nft: {said.decode(errors='replace').strip()[:300] or 'no answer'}")
            received = os.read(self._process.stdout.fileno(), 65536)
            if not received:
                raise Unavailable("nft has ended")
            said += received

    def close(self) -> None:
        """End it; the table stays."""
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        try:
            self._process.wait(_ANSWER_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
