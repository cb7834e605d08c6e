"""An nginx whose configuration includes one file, or follows one symbolic link, that says what is live.

    driver: nginx
    active: conf/active.conf                # included by nginx.conf: a file, or a link to that of a release
    releases: {blue: conf/blue.conf, green: conf/green.conf}
    test: [nginx, -t]                       # with your `-c`, or through sudo or ssh
    reload: [nginx, -s, reload]

A switch exchanges the file at one instant (a rename), has nginx test its configuration, and reloads. What
does not pass the test, or cannot be reloaded, is taken back: the file is as it was. Which release is live is
read from that file; a configuration that somebody has changed and not reloaded is not told apart. Paths count
from the target file.

`nginx -s reload` returns when the signal is sent; new workers take over some milliseconds later, and requests
that old ones have begun are ended by these. A reload loses no request; a restart does.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from seatrial.drivers.binding import Arguments, Binding
from seatrial.drivers.launch import run_for, typed
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.quantities import Duration
from seatrial.model.role import Role


class NginxBinding(Binding):
    """The file that nginx includes, what it is for each release, and how it is tested and read anew."""

    driver: ClassVar[str] = "nginx"

    active: str = Field(default="", examples=["conf/active.conf"])
    """The file that nginx includes, or the link that it follows."""
    releases: Mapping[str, str] = Field(default_factory=dict, examples=[{"blue": "conf/blue.conf"}])
    """What that file is for each release."""
    test: Arguments = ("nginx", "-t")
    """Tests the configuration; what it refuses is never read."""
    reload: Arguments = ("nginx", "-s", "reload")
    """Has nginx read its configuration anew."""
    within: Duration = Duration(10.0)
    """The time limit of each of the two commands."""

    def as_releases(self, role: Role) -> NginxReleases:
        """Its releases. Raises BadInput when it is not said what is live, or where a release stands."""
        if not self.active:
            raise BadInput(role.problem(("active",), "is missing: the file that nginx includes"))
        files = {release: role.path(file) for release, file in self.releases.items()}
        if len(files) < 2:
            told = "say what each release is: {blue: conf/blue.conf, green: conf/green.conf}"
            raise BadInput(role.problem(("releases",), told))
        for release, file in files.items():
            if not file.is_file():
                raise BadInput(role.problem(("releases", release), f"there is no file {file}"))
        return NginxReleases(role, self, role.path(self.active), files)


@dataclass(frozen=True, slots=True)
class NginxReleases:
    """See `drivers.releases`."""

    role: Role
    binding: NginxBinding
    active: Path
    files: Mapping[str, Path]

    @property
    def names(self) -> Sequence[str]:
        """As the target file lists them."""
        return tuple(self.files)

    def live(self) -> str:
        try:
            now = self.active.read_bytes()
            found = [release for release, file in self.files.items() if self._is(file, now)]
        except OSError as error:
            raise Unavailable(f"{self.role.name}: {error}") from error
        if len(found) != 1:
            told = f"the same as {' and '.join(found)}" if found else "none of the releases"
            raise Unavailable(f"{self.role.name}: {self.active} is {told}")
        return found[0]

    def _is(self, file: Path, content: bytes) -> bool:
        if self.active.is_symlink():
            return self.active.resolve() == file.resolve()
        return file.read_bytes() == content

    def make_live(self, release: str) -> None:
        beside = self.active.with_name(f".{self.active.name}.{uuid.uuid4().hex}")
        try:
            before = self.active.resolve() if self.active.is_symlink() else self.active.read_bytes()
            self._exchange(beside, self.files[release])
            try:
                self._run(self.binding.test)
                self._run(self.binding.reload)
            except Unavailable:
                self._exchange(beside, before)
                raise
        except OSError as error:
            raise Unavailable(f"{self.role.name}: {error}") from error
        finally:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)

    def _exchange(self, beside: Path, wanted: Path | bytes) -> None:
        """At one instant, and with the mode that it has: a link stays a link, and a file a file."""
        if self.active.is_symlink():
            assert isinstance(wanted, Path)
            beside.symlink_to(os.path.relpath(wanted, self.active.parent))
        else:
            beside.write_bytes(wanted.read_bytes() if isinstance(wanted, Path) else wanted)
            beside.chmod(self.active.stat().st_mode & 0o777)
        beside.replace(self.active)

    def _run(self, program: Arguments) -> None:
        run_for(self.role, program, uuid.uuid4().hex, self.binding.within.seconds)

    def by_hand(self, release: str) -> str:
        link, reload = self.active.is_symlink(), shlex.join(self.binding.reload)
        put = f"ln -sfn {self.files[release]}" if link else f"cp {self.files[release]}"
        return typed(self.role, f"{put} {self.active}", reload)
