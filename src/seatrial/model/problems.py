"""What is wrong, where, and the way out: the one family of errors that people see.

Every error that a user can cause or mend is a `SeatrialError`. It is raised where the cause is known, with
`from` when it translates another library's, and printed once, by `cli`. Anything else is a defect of ours.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from seatrial.model.exitcodes import ExitCode
from seatrial.model.secrets import shown

Path = tuple[str | int, ...]  # of keys and indexes: ("timeline", 1, "fault")


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file; line and column count from 1, as editors do."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


def dotted(path: Path) -> str:
    """`timeline[1].fault` for `("timeline", 1, "fault")`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with something the user wrote.

    Whoever finds it knows which value it is about, `path`; whoever has the file adds where that stands.
    """

    message: str
    location: Location | None = None
    path: Path = ()  # of the value inside its file
    key: bool = False  # about the key rather than the value: it should not be there
    word: str = ""  # that `seatrial explain` tells more by

    def under(self, path: Path) -> Problem:
        """The same, when what `path` counts from is itself the value at `path` of something larger."""
        return replace(self, path=(*path, *self.path))

    def about(self, word: str) -> Problem:
        """The same, explained by `word` unless something nearer is named."""
        return self if self.word else replace(self, word=word)

    @property
    def explained_by(self) -> str:
        """The word that `seatrial explain` tells more by; "" when there is none."""
        return self.word or getattr(self.message, "word", "")

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.location or ""), dotted(self.path), self.message) if part)


class SeatrialError(Exception):
    """An error with a message for people, and the exit code that it ends a command with.

    Libraries quote addresses and headers in the errors that ours translate, so its text holds no secret.
    """

    exit_code: int = ExitCode.DEFECT

    @property
    def explained_by(self) -> str:
        """The word that `seatrial explain` tells more by; "" when there is none."""
        return getattr(self.args[0], "word", "") if self.args else ""

    def __str__(self) -> str:
        return shown(super().__str__())


class BadInput(SeatrialError):  # noqa: N818  # what it is, as in KeyboardInterrupt
    """What the user wrote cannot be used. Every problem found is told at once; nothing was started."""

    exit_code: int = ExitCode.BAD_INPUT

    def __init__(self, problems: Problem | str | Sequence[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@contextlib.contextmanager
def explained_by(word: str) -> Iterator[None]:
    """What a BadInput in the block tells is explained by `word`, unless something nearer is named."""
    try:
        yield
    except BadInput as error:
        error.problems = tuple(problem.about(word) for problem in error.problems)
        raise


class Problems:
    """What has been found wrong so far, so that all of it can be told at once.

    with problems.collected():
        …                         # a BadInput is noted, and what follows the block goes on
    """

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}  # each once, in the order in which they were found

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def add(self, *problems: Problem) -> None:
        """Note them."""
        self._found.update(dict.fromkeys(problems))

    @contextlib.contextmanager
    def collected(self) -> Iterator[None]:
        """Note what a BadInput in the block tells; the rest of the block is then left out."""
        try:
            yield
        except BadInput as error:
            self.add(*error.problems)

    def tell(self) -> None:
        """Raise BadInput with all of them, if there is any, in the order of each file."""
        files = dict.fromkeys(each.location.file if each.location else "" for each in self._found)
        order = {file: number for number, file in enumerate(files)}

        def place(problem: Problem) -> tuple[int, int, int]:
            at = problem.location or Location("")
            return order[at.file], at.line or 0, at.column or 0

        if self._found:
            raise BadInput(sorted(self._found, key=place))


class Unavailable(SeatrialError):  # noqa: N818
    """Something outside that is needed does not answer or is missing; the verdict can only be unknown."""

    exit_code: int = ExitCode.UNKNOWN


class Unreachable(Unavailable):
    """Nobody is there to be asked: the connection is refused, or there is no way, or no such name."""


class Unresolved(Unreachable):
    """A host's name has no address here and now; elsewhere it may have one."""


class TooLate(Unavailable):
    """Somebody was asked, and was not through within the time that was given."""


class CannotStore(Unavailable):
    """A file could not be written or read: no room, no permission, too many open files, a failing disk."""

    def __init__(self, message: str, way_out: str = "", number: int = 0) -> None:
        """`number`: the errno behind it, 0 when there is none."""
        self.number = number
        super().__init__(f"{message}; {way_out}" if way_out else message)


class Interrupted(SeatrialError):  # noqa: N818
    """A person or a supervisor asked for the end."""

    exit_code: int = ExitCode.INTERRUPTED


@contextlib.contextmanager
def translating(who: str) -> Iterator[None]:
    """Whatever is raised within and is no `SeatrialError` becomes an Unavailable that names its type.

    For calls into plugins: what they ask may answer anything, and whoever calls them expects the one family.
    """
    try:
        yield
    except SeatrialError:
        raise
    except Exception as error:
        raise Unavailable(f"{who}: {type(error).__name__}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "")[:300]


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the closest of `known`, or the list of them when nothing is close."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known: {', '.join(names)}" if names else ""
