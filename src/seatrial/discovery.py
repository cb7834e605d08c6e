"""Finds what can be added to: by its declared name, in the files of a room or in other people's packages.

    process.kill ──► seatrial/faults/process_kill.py ──► class ProcessKill(Declared): name = "process.kill"
         └─ no such file ─► entry points of the group seatrial.faults ─► the class that one of them names

    [project.entry-points."seatrial.faults"]
    "disk.corrupt" = "my_faults.disk_corrupt:DiskCorrupt"

The name leads to the file, so whoever knows a name loads one module: a guardian has to be quick, and many
drivers need large libraries. All of them are loaded only to be listed, or to say which name is the nearest.

What others have written may break while it is loaded, not be what it says, or take a name that is taken.
Each of that is one line for people (`complaints`), never the end of a command that does not need it.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, ValidationError

from seatrial.model.document import problems_of
from seatrial.model.problems import BadInput, Problem, explained_by, nearest

OURS = "seatrial"
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*")

T = TypeVar("T")


class CannotLoad(BadInput):
    """Somebody's package names something that is not there, breaks, or is not what it says."""


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """One that can be used. `package`: whose it is, `seatrial` or `my-faults 1.0`."""

    name: str
    declared: type[T]
    package: str

    @property
    def file(self) -> Path:
        """Where it is written."""
        return Path(str(sys.modules[self.declared.__module__].__file__))

    @property
    def record(self) -> type[BaseModel] | None:
        """The typed record of what it can be told: itself, or its `settings`; None when that is nothing."""
        if issubclass(self.declared, BaseModel):
            return self.declared
        return getattr(self.declared, "settings", None)


@dataclass(frozen=True, slots=True)
class Registry(Generic[T]):
    """Everything of one kind.

    `kind`: what one is called, `fault`; `home`: the package whose files declare them; `base`: the class that
    they derive from; `key`: the class attribute that holds the name.
    """

    kind: str
    home: str
    base: type[Any]  # of T; an abstract one is no type[T]
    key: str = "name"

    @property
    def group(self) -> str:
        """The group of entry points in which other packages declare them."""
        return f"{OURS}.{self.home.rpartition('.')[2]}"

    def get(self, name: str) -> type[T] | None:
        """The class declared as `name`, None when there is none. Raises CannotLoad for one that is broken."""
        return self._ours(name) or self._others(name)

    def find(self, name: str) -> type[T]:
        """The same. Raises BadInput, with the nearest name, when there is none."""
        declared = self.get(name)
        if declared is None:
            told = f"unknown {self.kind} '{name}'{nearest(name, self.names())}"
            raise BadInput(Problem(told, word=self.kind))
        return declared

    def names(self) -> list[str]:
        """Every name that `find` knows, sorted."""
        return sorted(self.all())

    def all(self) -> Mapping[str, Found[T]]:
        """Everything that can be used, by name."""
        usable: dict[str, Found[T]] = {}
        for point in self._points():
            try:
                if (declared := self._others(point.name)) is not None:
                    usable[point.name] = Found(point.name, declared, _package_of(point))
            except CannotLoad:
                continue  # which `complaints` tells
        return usable | {found.name: found for found in _ours(self)}

    def complaints(self) -> list[str]:
        """What is wrong with what other packages declare, one line each."""
        told: dict[str, None] = {}
        for point in self._points():
            if self._ours(point.name) is not None:
                told[f"{self._called(point)} is not used: seatrial has its own of that name"] = None
                continue
            try:
                self._others(point.name)
            except CannotLoad as error:
                told[str(error)] = None
        return list(told)

    # ours

    def _ours(self, name: str) -> type[T] | None:
        if not _NAME.fullmatch(name):
            return None
        module = f"{self.home}.{re.sub('[.-]', '_', name)}"
        if importlib.util.find_spec(module) is None:
            return None
        declared = self._declared_in(importlib.import_module(module))
        return next((each for each in declared if getattr(each, self.key) == name), None)

    def ours(self) -> Iterator[Found[T]]:
        """Those that the files of its room declare. Loads all of these files."""
        for module in pkgutil.iter_modules(importlib.import_module(self.home).__path__):
            for declared in self._declared_in(importlib.import_module(f"{self.home}.{module.name}")):
                yield Found(getattr(declared, self.key), declared, OURS)

    def _declared_in(self, module: ModuleType) -> list[type[T]]:
        """The classes of a module that have a name of their own; one without is what several share."""
        return [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, self.base)
            and value.__module__ == module.__name__
            and self.key in vars(value)
        ]

    # of others

    def _points(self) -> Iterator[importlib.metadata.EntryPoint]:
        yield from sorted(_entry_points(self.group, tuple(sys.path)))

    def _others(self, name: str) -> type[T] | None:
        points = [point for point in self._points() if point.name == name]
        if not points:
            return None
        if len(points) > 1:
            packages = " and ".join(map(_package_of, points))
            raise CannotLoad(f"{self.kind} '{name}' is declared by {packages}; uninstall all but one of them")
        return self._loaded(points[0])

    def _loaded(self, point: importlib.metadata.EntryPoint) -> type[T]:
        called = self._called(point)
        try:
            declared = point.load()
        except (Exception, SystemExit) as error:  # whatever somebody's module does while it is imported
            said = f"{type(error).__name__}: {error}".rstrip(": ")
            raise CannotLoad(f"{called} cannot be loaded: {said}{_place(error)}") from error
        if not (isinstance(declared, type) and issubclass(declared, self.base)):
            raise CannotLoad(f"{called} is {point.value}, which is no {self.base.__name__}")
        if (own := getattr(declared, self.key, None)) != point.name:
            raise CannotLoad(f"{called} is {point.value}, which calls itself {own!r}; let both be the same")
        if lacking := _undeclared(declared):
            raise CannotLoad(f"{called} is {point.value}, which does not have: {', '.join(lacking)}")
        return declared

    def _called(self, point: importlib.metadata.EntryPoint) -> str:
        return f"{self.kind} '{point.name}' of the package {_package_of(point)}"


def _undeclared(declared: type[Any]) -> list[str]:
    """What its bases say that it must have, and it has not: methods, and class attributes without a value."""
    stated = {
        name
        for base in declared.__mro__
        for name, annotation in inspect.get_annotations(base).items()
        if "ClassVar" in str(annotation) and not name.startswith(("_", "model_"))
    }
    abstract: frozenset[str] = getattr(declared, "__abstractmethods__", frozenset())
    return sorted({*abstract, *(name for name in stated if not hasattr(declared, name))})


@functools.lru_cache
def _entry_points(group: str, _places: tuple[str, ...]) -> importlib.metadata.EntryPoints:
    """Looking through all that is installed takes some 20 ms: it is done once for each path to look on."""
    return importlib.metadata.entry_points(group=group)


@functools.lru_cache
def _ours(registry: Registry[T]) -> tuple[Found[T], ...]:
    """Our own files stay as they are while a process runs, and `explain` asks for them hundreds of times."""
    return tuple(registry.ours())


def any_packages() -> bool:
    """Whether anything is installed that adds to seatrial, well or not. Loads nothing of it, or of ours."""
    return any(group.startswith(f"{OURS}.") for group in importlib.metadata.entry_points().groups)


def forget_packages() -> None:
    """Look anew at what is installed: after something was, while this process runs."""
    _entry_points.cache_clear()


def _package_of(point: importlib.metadata.EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.module


def _place(error: BaseException) -> str:
    """The last line that was reached, for whoever mends it."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if "importlib" not in each.filename]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames[1:] else ""


def build(registry: Registry[Any], name: str, parameters: Mapping[str, Any]) -> BaseModel:
    """The record that is declared as `name`, with its parameters.

    Raises BadInput; the path of each problem counts from the parameters, and is empty for the name itself.
    """
    declared = cast("type[BaseModel]", registry.find(name))
    with explained_by(name):
        try:
            return declared.model_validate(dict(parameters), by_name=False)
        except ValidationError as error:
            raise BadInput(problems_of(error, declared, "parameter")) from error
