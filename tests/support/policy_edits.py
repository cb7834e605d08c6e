"""Random projects in git and random edits of them, to hold an incremental check against a full one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from seatrial.policy import Report, Request, check

QUIET_NS = 30_000_000  # longer than a tick of any kernel's clock, and short enough to wait for
POLICIES = (
    """deny contains msg if {{ input.kind == "{kind}"; msg := sprintf("%v is denied", [input.kind]) }}
warn contains msg if {{ some name in data.names; input.name == name; msg := name }}
""",
    """deny_two contains {{"msg": "no name", "control": "C1"}} if {{ input.kind; not input.name }}
deny contains "kind" if input.kind == "{kind}"
exception contains ["two"] if input.kind == "B"
""",
    """deny contains data.conftest.file.name if input.kind == "{kind}"
""",
)
CONTENTS = (
    "kind: A\nname: a\n",
    "kind: B\nname: b\n",
    "kind: A\nname: b\n",
    "kind: B\n---\nkind: A\nname: a\n",
    "kind: [\n",
    "",
    '{"kind": "A", "name": "a"}\n',
)
NAMES = (
    "a.yaml",
    "b.yaml",
    "d/a.yaml",
    "d/c.yml",
    "d/e/x.json",
    "inner/a.yaml",
    "é ü.yaml",
    "ignored/i.yaml",
)


@dataclass
class Project:
    """A work tree with policies beside it, and the check that remembers."""

    place: Path
    random: random.Random
    combine: bool = False
    steps: list[str] = field(default_factory=list)

    @property
    def tree(self) -> Path:
        """What is judged."""
        return self.place / "tree"

    def begin(self) -> None:
        """A first commit, with a repository inside it that is a submodule in all but name."""
        for directory in (self.tree, self.place / "policy", self.place / "data"):
            directory.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        (self.tree / ".gitignore").write_text("ignored/\n")
        inner = self.tree / "inner"
        inner.mkdir()
        self.git("init", "-q", "-b", "main", where=inner)
        (inner / "a.yaml").write_text(CONTENTS[0])
        self.git("add", "-A", where=inner)
        self.git("commit", "-q", "-m", "inner", where=inner)
        for name in NAMES[:5]:
            self.write(name)
        self.commit()
        self.change_policy()
        self.change_data()

    def git(self, *arguments: str, where: Path | None = None) -> None:
        """Run git; what it refuses (nothing to commit, no such branch) is no matter."""
        identity = (
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "advice.addEmbeddedRepo=false",
            "-c",
            "core.fsync=none",
        )
        subprocess.run(
            ["git", *identity, *arguments],
            cwd=where or self.tree,
            capture_output=True,
            check=False,
            timeout=30,
        )

    # edits

    def write(self, name: str = "") -> None:
        """Some content in some file."""
        path = self.tree / (name or self.random.choice(NAMES))
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            path.unlink()
        path.write_text(self.random.choice(CONTENTS))

    def write_with_old_times(self) -> None:
        """Another content of the same length, with the modification time put back."""
        path = self.some()
        if path and not path.is_symlink():
            status = path.stat()
            path.write_text(path.read_text().translate(str.maketrans("AB", "BA")))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def rename(self) -> None:
        """One file onto another name, or over another file."""
        path, target = self.some(), self.tree / self.random.choice(NAMES)
        if path:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)

    def delete(self) -> None:
        """One file less, while there are some."""
        path = self.some()
        if path and len(self.files()) > 2:
            path.unlink()

    def link(self) -> None:
        """A symbolic link to another file."""
        path, target = self.tree / "l.yaml", self.some()
        path.unlink(missing_ok=True)
        if target:
            path.symlink_to(target)

    def touch(self) -> None:
        """New times, the same bytes."""
        if path := self.some():
            path.touch()

    def commit(self) -> None:
        """Everything, in the tree or inside."""
        self.git("add", "-A", where=self.tree / "inner")
        self.git("commit", "-q", "-m", "inner", where=self.tree / "inner")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "step")

    def hide(self) -> None:
        """Have git look away from a file, and change it."""
        if path := self.some():
            flag = self.random.choice(("--assume-unchanged", "--skip-worktree", "--no-assume-unchanged"))
            self.git("update-index", flag, str(path.relative_to(self.tree)))
            self.write(str(path.relative_to(self.tree)))

    def convert(self) -> None:
        """Have git convert line endings of some files on checkout, or no longer."""
        (self.tree / ".gitattributes").write_text(
            self.random.choice(("", "*.yaml text eol=crlf\n", "* text=auto\n"))
        )

    def go_back(self) -> None:
        """Check out what was there before, or the newest again."""
        self.git("checkout", "-q", self.random.choice(("HEAD~1", "main", "HEAD~2")), "--", ".")

    def change_policy(self) -> None:
        """Other rules."""
        text = self.random.choice(POLICIES).format(kind=self.random.choice("AB"))
        (self.place / "policy" / "p.rego").write_text(f"package main\nimport rego.v1\n{text}")

    def change_data(self) -> None:
        """Other data."""
        (self.place / "data" / "d.yaml").write_text(f"names: [{self.random.choice('ab')}]\n")

    def files(self) -> list[Path]:
        """All that can be edited."""
        return [path for path in self.tree.rglob("*.*") if ".git" not in path.parts and path.suffix != "" and
                path.name not in (".gitignore", ".gitattributes") and path.is_file()]  # fmt: skip

    def some(self) -> Path | None:
        """One of them."""
        found = sorted(self.files())
        return self.random.choice(found) if found else None

    def step(self) -> None:
        """One edit, told in `steps`."""
        edits: tuple[Callable[[], None], ...] = (
            self.write, self.write, self.write_with_old_times, self.write_with_old_times, self.rename, self.delete,
            self.link, self.touch, self.commit, self.hide, self.convert, self.go_back, self.change_policy,
            self.change_data,
        )  # fmt: skip
        edit = self.random.choice(edits)
        self.steps.append(edit.__name__)
        edit()

    # checks

    def request(self) -> Request:
        """A full check."""
        return Request(
            paths=(str(self.tree),),
            policies=(self.place / "policy",),
            data=(self.place / "data",),
            combine=self.combine,
            anew=True,
            quiet_ns=QUIET_NS,
        )

    def full(self) -> Report:
        """Everything, from the bytes."""
        return check(self.request())

    def incremental(self) -> Report:
        """What is remembered and what is not, with or without git's word for what did not change."""
        since = self.random.choice(("", "HEAD", "HEAD~1"))
        if (
            since == "HEAD~1"
            and subprocess.run(
                ["git", "rev-parse", "-q", "--verify", since],
                cwd=self.tree,
                capture_output=True,
                check=False,
                timeout=30,
            ).returncode
        ):
            since = "HEAD"
        self.steps.append(f"check since {since or '-'}")
        if self.random.random() < 0.5:
            self.rest()
        memory = self.place / "memory" / "m.sqlite"
        return check(replace(self.request(), anew=False, changed_since=since, memory=memory))

    def rest(self) -> None:
        """Wait until every file has been left alone for so long that its times are believed."""
        newest = max((path.stat().st_ctime_ns for path in self.files()), default=0)
        while time.time_ns() - newest < QUIET_NS:
            time.sleep(QUIET_NS / 1e9)


def killed(_paths: list[str]) -> None:
    """What becomes of a process that is ended from outside."""
    os.kill(os.getpid(), signal.SIGKILL)


def differences(place: Path, seed: int, steps: int) -> tuple[list[str], int, int]:
    """Edit and check. What differed, how many checks were made, and how many files none of them read."""
    chance = random.Random(seed)
    project = Project(place, chance, combine=chance.random() < 0.2)
    project.begin()
    wrong: list[str] = []
    checks = spared = 0
    for _ in range(steps):
        for _ in range(chance.choice((1, 1, 2, 5))):
            project.step()
        partial, whole = project.incremental(), project.full()
        checks += 1
        spared += partial.inputs - partial.read
        if (partial.told, partial.verdict, partial.inputs) != (whole.told, whole.verdict, whole.inputs):
            wrong.append(f"seed {seed}: after {project.steps}: {partial.told} is not {whole.told}")
            break
    return wrong, checks, spared
