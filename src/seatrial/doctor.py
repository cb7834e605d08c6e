"""What this machine can do and what it cannot, what that costs, and the command that mends it.

Each finding is looked at for real: a namespace is made (and gone with the child that made it), a program is
run. Nothing is changed.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from seatrial.discovery import any_packages
from seatrial.extras import CHAOSTOOLKIT, HSM, POLICY, TESTBED, Extra
from seatrial.model.problems import Unavailable
from seatrial.testbed.programs import MEND_HSM, MEND_MONITORING, find_haproxy, find_hsm, find_monitoring

_CLONE_NEWNET = 0x40000000
_SBIN = "/usr/sbin:/sbin"
_PATIENCE_S = 5.0
_ROOM_MB = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `mend` is a command, or empty when nothing needs to be done or can be."""

    name: str
    able: bool
    detail: str
    mend: str = ""


def examine(home: Path) -> tuple[Finding, ...]:
    """Look at everything. `home`: where state is kept."""
    parts = (_machine(home), _testbed(), _network(), _extras(), _packages())
    return tuple(look for part in parts for look in part)


def _machine(home: Path) -> Iterator[Finding]:
    processors = os.cpu_count() or 1
    yield Finding("processors", processors >= 2, f"{processors}; the load generator wants one for itself")
    timer = hasattr(os, "timerfd_create") or (
        sys.platform == "linux" and hasattr(ctypes.CDLL(None), "timerfd_create")
    )
    yield Finding(
        "timerfd",
        timer,
        "arrivals are sent on time" if timer else "arrivals are about 1 ms late: needs Linux",
    )
    free_mb = shutil.disk_usage(_existing(home)).free // 1_000_000
    yield Finding("disk", free_mb >= _ROOM_MB, f"{free_mb:,} MB free for evidence and state under {home}")
    yield Finding(
        "state directory",
        os.access(_existing(home), os.W_OK),
        f"{home}",
        "set SEATRIAL_HOME to a directory you may write",
    )


def _testbed() -> Iterator[Finding]:
    yield _haproxy()
    yield _installed(TESTBED, "PostgreSQL, Patroni and Valkey from their wheels", "there is no testbed")
    hsm = find_hsm()
    yield Finding("HSM", hsm is not None, str(hsm.library) if hsm else "the testbed has none", MEND_HSM)
    watched = find_monitoring()
    told = str(watched.prometheus) if watched else "nobody watches the testbed: which alerts fire is unknown"
    yield Finding("monitoring", watched is not None, told, MEND_MONITORING)
    if os.geteuid() == 0:
        able = _runs("unshare", "-U", "--map-user=65534", "--map-group=65534", "true") or _runs(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "true"
        )
        yield Finding(
            "PostgreSQL as root", able, "it is run as nobody" if able else "it refuses to run as root"
        )


def _network() -> Iterator[Finding]:
    root = os.geteuid() == 0
    yield Finding(
        "root",
        root,
        "all faults" if root else "no network partitions, no namespaces",
        "" if root else "sudo seatrial …",
    )
    for program, package, cost in (
        ("ip", "iproute2", "no namespaces: the testbed runs on loopback, without partitions"),
        ("nft", "nftables", "no network partitions"),
    ):
        path = _program(program)
        yield Finding(program, bool(path), path or cost, f"apt-get install {package}")
    able = root and sys.platform == "linux" and _in_a_child(_make_a_namespace)
    yield Finding(
        "network namespaces",
        able,
        "the testbed's regions can be cut off" if able else "the testbed is on loopback: no partitions",
    )
    tun = Path("/dev/net/tun")
    yield Finding(
        "tun",
        tun.exists(),
        "latency can be injected" if tun.exists() else "no injected latency",
        "modprobe tun",
    )


def _extras() -> Iterator[Finding]:
    yield _installed(HSM, "HSMs are reached by PKCS#11", "no faults and probes of HSMs")
    yield _installed(CHAOSTOOLKIT, "its activities can be faults", "no activities of the Chaos Toolkit")
    yield _policy_engine()
    for name, programs, cost, package in (
        (
            "a browser",
            ("chromium", "chromium-browser", "google-chrome"),
            "reports are not tested",
            "chromium",
        ),
        ("promtool", ("promtool",), "alert rules are not tested", "prometheus"),
    ):
        found = next(filter(None, map(_program, programs)), "")
        yield Finding(name, bool(found), found or cost, f"apt-get install {package}")


def _packages() -> Iterator[Finding]:
    """What other people's packages add to seatrial: one finding for each that cannot be used."""
    told: list[str] = []
    if any_packages():
        from seatrial.catalogue import complaints  # noqa: PLC0415  # it loads whatever there is of each kind

        told = complaints()
    for line in told:
        yield Finding("packages", False, line)
    if not told:
        yield Finding("packages", True, "whatever is installed beside seatrial for it can be used")


def _policy_engine() -> Finding:
    """Which one `seatrial policy` would take."""
    if POLICY.lacking():
        return Finding("policy engine", False, "no policies are evaluated", POLICY.way_out)
    from seatrial.policy.engines import engine_named  # noqa: PLC0415  # it is of that extra

    try:
        return Finding("policy engine", True, f"{engine_named('auto').identity} evaluates policies")
    except Unavailable as error:
        return Finding("policy engine", False, str(error))


def _program(name: str) -> str:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SBIN}") or ""


def _haproxy() -> Finding:
    try:
        return Finding("haproxy", True, str(find_haproxy()))
    except Unavailable as missing:
        return Finding("haproxy", False, f"the testbed has no edge: {missing}", "apt-get install haproxy")


def _installed(extra: Extra, gain: str, cost: str) -> Finding:
    able = not extra.lacking()
    return Finding(f"seatrial[{extra.name}]", able, gain if able else cost, extra.way_out)


def _runs(*command: str) -> bool:
    try:
        return (
            subprocess.run(
                command, capture_output=True, timeout=_PATIENCE_S, check=False, start_new_session=True
            ).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _in_a_child(act: Callable[[], bool]) -> bool:
    """Whether `act` succeeds in a process of its own, which takes what it made with it."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if act() else 1)
        except BaseException:  # a child must never return into its parent's code
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _make_a_namespace() -> bool:
    return bool(ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) == 0)


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.parents, Path(tempfile.gettempdir())) if place.exists())
