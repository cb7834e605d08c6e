"""What git is asked: which files there are, and which of them are, byte for byte, what a commit holds.

It only narrows what is read. What git would not notice is not left to it: files marked `assume-unchanged` or
`skip-worktree`, files that a filter or a line-ending rule rewrites on checkout, submodules, symbolic links.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seatrial.model.problems import BadInput, Unavailable

_PATIENCE_S = 120.0
_STRICT = ("core.fsmonitor=false", "core.checkStat=default", "core.trustctime=true", "core.quotePath=false")
_REWRITING = ("filter", "text", "eol", "crlf", "ident", "working-tree-encoding")
_REGULAR = ("100644", "100755")
# What a hook's environment says of the repository that called it: not of the ones that are asked here.
_OF_A_HOOK = frozenset(
    f"GIT_{name}"
    for name in (
        *("ALTERNATE_OBJECT_DIRECTORIES", "COMMON_DIR", "CONFIG", "CONFIG_COUNT", "CONFIG_PARAMETERS", "DIR"),
        *(
            "GRAFT_FILE",
            "IMPLICIT_WORK_TREE",
            "INDEX_FILE",
            "NO_REPLACE_OBJECTS",
            "OBJECT_DIRECTORY",
            "PREFIX",
        ),
        *("REPLACE_REF_BASE", "SHALLOW_FILE", "WORK_TREE"),
    )
)


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree. `top`: its root, without symbolic links."""

    top: Path

    @classmethod
    def around(cls, directory: Path) -> Repository | None:
        """The work tree that holds a directory; None when there is none. Raises Unavailable."""
        told = _run(directory, ["rev-parse", "--show-toplevel"])
        if told is None:
            return None
        if told.returncode == 0:
            return cls(Path(os.fsdecode(told.stdout.rstrip(b"\n"))))
        complaint = os.fsdecode(told.stderr).strip()
        if "not a git repository" in complaint or "must be run in a work tree" in complaint:
            return None
        raise Unavailable(f"{directory}: git does not answer: {complaint.splitlines()[0]}")

    def files(self, below: Path, *, ignored: bool) -> Iterator[str]:
        """Paths from `below`, of files that are tracked or could be, and with `ignored` of all others.

        A submodule, or another repository inside, is told as its directory.
        """
        standard = [] if ignored else ["--exclude-standard"]
        told = self._ask(below, "ls-files", "-z", "--cached", "--others", *standard)
        yield from dict.fromkeys(path.rstrip("/") for path in told)

    @property
    def shallow(self) -> bool:
        """Whether its history was cut off when it was cloned."""
        return self._ask(self.top, "rev-parse", "--is-shallow-repository")[0].strip() == "true"

    def commit(self, revision: str) -> str:
        """The commit that a revision names; "" when it names none here."""
        told = _run(
            self.top, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
        )
        return os.fsdecode(told.stdout).strip() if told and told.returncode == 0 else ""

    def unchanged_since(self, commit: str) -> Mapping[str, str]:
        """Paths from the root of files that are what `commit` holds, and the id of the blob that it holds.

        Only regular files whose bytes are those of the blob, and only where git can be believed.
        """
        if self._converts():
            return {}
        changed = set(
            self._ask(self.top, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", commit, "--")
        )
        believed = {entry[2:] for entry in self._ask(self.top, "ls-files", "-v", "-z") if entry[0] == "H"}
        blobs: dict[str, str] = {}
        for entry in self._ask(self.top, "ls-tree", "-r", "-z", commit):
            about, _, path = entry.partition("\t")
            mode, _, blob = about.split(" ")
            if mode in _REGULAR and path in believed and path not in changed:
                blobs[path] = blob
        for path in self._rewritten(list(blobs)):
            del blobs[path]
        return blobs

    def _converts(self) -> bool:
        """Whether git may turn line endings on checkout without being told to by an attribute."""
        told = _run(self.top, ["config", "--get", "core.autocrlf"])
        return told is None or os.fsdecode(told.stdout).strip().lower() not in ("", "false")

    def _rewritten(self, paths: Sequence[str]) -> set[str]:
        """Those that an attribute has rewritten on checkout, or may have."""
        if not paths:
            return set()
        names = "\0".join(paths) + "\0"
        told = self._ask(self.top, "check-attr", "-z", "--stdin", *_REWRITING, given=names)
        triples = zip(told[0::3], told[1::3], told[2::3], strict=True)
        return {path for path, _, value in triples if value not in ("unspecified", "unset")}

    def _ask(self, where: Path, *arguments: str, given: str = "") -> list[str]:
        told = _run(where, arguments, given)
        if told is None or told.returncode:
            why = os.fsdecode(told.stderr).strip() if told else "there is no git"
            raise Unavailable(f"git {arguments[0]} in {where}: {why}")
        return [part for part in os.fsdecode(told.stdout).split("\0") if part]


def commit_of(repository: Repository, revision: str) -> tuple[str, str]:
    """The commit to compare with, and a note where it is not there. Raises BadInput for no revision."""
    if commit := repository.commit(revision):
        return commit, ""
    if repository.shallow:
        return "", (
            f"{revision} is not in this shallow clone, so every file is read; to have it: "
            "git fetch --deepen 100"
        )
    raise BadInput(f"--changed-since {revision}: no such revision in {repository.top}")


def _run(where: Path, arguments: Sequence[str], given: str = "") -> subprocess.CompletedProcess[bytes] | None:
    """What git answers; None where there is no git. Raises Unavailable."""
    settings = [part for setting in _STRICT for part in ("-c", setting)]
    try:
        return subprocess.run(
            ["git", "-C", str(where), *settings, *arguments],
            input=os.fsencode(given),
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            start_new_session=True,
            env=_environment(),
        )
    except FileNotFoundError:
        return None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"git {arguments[0]} in {where}: {error}") from error


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    return {**own, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
