"""Files that workers need and their master has: the rows of data, the instants of a log that is replayed.

    master   this file, of so many bytes and this hash ──────► worker: has it at that path, or takes it
             ◄─────────── so much of it is here, or all of it, or why it cannot be
             a chunk at that place ──────────────────────────►

One chunk is under way at a time to each worker, and a file counts when its hash is right. A file that is
there already, as on the master's own machine, is not brought. All is over before the load has a time zero.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event

from seatrial.disk import file_digest
from seatrial.load.options import LoadOptions
from seatrial.load.shipping import Chunk, Inbound, Outbound

_AGAIN_AFTER_S = 2.0  # without an answer it is said once more
_MOVES_WITHIN_S = 30.0  # a worker that takes nothing for so long is told

Say = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Supply:
    """A file of the master's that an option names. `secret`: it must not be sent in the open."""

    option: str
    path: str
    sha256: str
    size: int
    secret: bool = False


def supplies_of(options: LoadOptions) -> list[Supply]:
    """The files of these options. Raises OSError."""
    named = (("data", options.data, bool(options.data_secret)), ("recorded", options.recorded, False))
    hashed = gevent.get_hub().threadpool.apply
    return [
        Supply(option, str(path), hashed(file_digest, (path,)), path.stat().st_size, secret)
        for option, path, secret in named
        if path is not None
    ]


class Supplier:
    """A master's: brings files to one worker, which is called `name`. `say` sends to it."""

    def __init__(self, name: str, say: Say, in_the_open: bool) -> None:
        self._name = name
        self._say = say
        self._in_the_open = in_the_open  # whether others can read what is sent
        self._has: dict[str, Mapping[str, Any]] = {}  # by option, what the worker has told last
        self._told = Event()

    def hear(self, said: Mapping[str, Any]) -> None:
        """The worker has told how much of a file it has."""
        self._has[said["option"]] = said
        self._told.set()

    def bring(self, supplies: Sequence[Supply]) -> None:
        """Returns when it has all of them. Raises ValueError for what it does not take, OSError."""
        for supply in supplies:
            self._bring(supply)

    def _bring(self, supply: Supply) -> None:
        outbound = Outbound(Path(supply.path))
        outbound.complete = True
        size, moved_s = -1, time.monotonic()
        while not (has := self._known(supply)) or not has["whole"]:
            self._refuse(supply, has)
            if has and has["size"] != size:
                size, moved_s = has["size"], time.monotonic()
            if time.monotonic() - moved_s > _MOVES_WITHIN_S:
                raise ValueError(
                    f"worker {self._name} takes nothing of {supply.path} for {_MOVES_WITHIN_S:g} s"
                )
            self._told.clear()
            self._offer(supply, outbound, has)
            self._told.wait(_AGAIN_AFTER_S)

    def _known(self, supply: Supply) -> Mapping[str, Any] | None:
        has = self._has.get(supply.option)
        return has if has and has["sha256"] == supply.sha256 else None

    def _refuse(self, supply: Supply, has: Mapping[str, Any] | None) -> None:
        if has and has["wrong"]:
            raise ValueError(f"worker {self._name}: {supply.path}: {has['wrong']}")
        if has and supply.secret and self._in_the_open:
            raise ValueError(
                f"--data: {supply.path} has secret columns, worker {self._name} has not the file, and what "
                "is sent there is not encrypted; bring it there, to the same path, or start workers through "
                "SSH (seatrial run --workers-at)"
            )

    def _offer(self, supply: Supply, outbound: Outbound, has: Mapping[str, Any] | None) -> None:
        about = {"option": supply.option, "path": supply.path, "sha256": supply.sha256, "bytes": supply.size}
        if has is None:
            self._say(kind="file", **about, offset=-1, data=b"", last=False)
            return
        outbound.brought = has["size"]
        chunk = gevent.get_hub().threadpool.apply(outbound.next_chunk)
        if chunk is None or chunk.offset > supply.size:
            raise ValueError(f"{supply.path} has changed since it was looked at")
        self._say(kind="file", **about, offset=chunk.offset, data=chunk.data, last=chunk.last)


class Pantry:
    """A worker's: the files that it was brought, in a directory of its own."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._taking: dict[str, tuple[str, Inbound, Path]] = {}  # by option: hash, and where it goes
        self._there: dict[str, tuple[str, Path]] = {}  # by option: hash, and where the whole file is

    def take(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """What the master has said of a file, and perhaps a chunk of it; gives what to answer. It blocks."""
        option, sha256 = said["option"], said["sha256"]
        try:
            size = self._take(option, sha256, said)
        except (OSError, ValueError) as error:
            return _answer(option, sha256, wrong=str(error))
        there = self._there.get(option)
        return _answer(option, sha256, size=size, whole=there is not None and there[0] == sha256)

    def _take(self, option: str, sha256: str, said: Mapping[str, Any]) -> int:
        if self._there.get(option, ("",))[0] == sha256:
            return int(said["bytes"])
        if self._taking.get(option, ("",))[0] != sha256:
            if _is_there(Path(said["path"]), sha256, said["bytes"]):
                self._there[option] = sha256, Path(said["path"])
                return int(said["bytes"])
            place = self._place(option, Path(said["path"]).name)
            self._taking[option] = sha256, Inbound(place), place
        _, inbound, place = self._taking[option]
        if said["offset"] >= 0:
            inbound.put(Chunk(said["offset"], said["data"], said["last"]))
        if inbound.whole:
            del self._taking[option]
            inbound.close()
            if file_digest(place) != sha256:
                raise ValueError("what came is not what was sent")
            self._there[option] = sha256, place
        return inbound.size

    def _place(self, option: str, name: str) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="seatrial-files-"))
        return self._folder / f"{option}-{len(list(self._folder.iterdir()))}" / name

    def here(self, texts: dict[str, Any]) -> dict[str, Any]:
        """The options of a test, with the places that its files have on this machine."""
        return texts | {option: str(path) for option, (_, path) in self._there.items() if texts.get(option)}

    def clear(self) -> None:
        """Remove what was brought."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _answer(
    option: str, sha256: str, *, size: int = 0, whole: bool = False, wrong: str = ""
) -> dict[str, Any]:
    return {"option": option, "sha256": sha256, "size": size, "whole": whole, "wrong": wrong}


def _is_there(path: Path, sha256: str, size: int) -> bool:
    try:
        return path.is_file() and path.stat().st_size == size and file_digest(path) == sha256
    except OSError:
        return False
