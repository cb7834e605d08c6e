"""Mutants of a few functions: each with one rule removed, turned round or bent by one.

A table of cases that every mutant fails somewhere holds every rule of the functions. What stays alive is a rule
that no case needs: either a case is missing, or the rule does nothing.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_BENT: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
}  # fmt: skip
_VERDICTS = ("PASS", "UNKNOWN", "FAIL")

Place = tuple[str, ...]  # the function's name, or its class's and its own


@dataclass(frozen=True)
class Mutant:
    """One function with one change; `name` says which, with the line in its file."""

    name: str
    module: ModuleType
    place: Place
    original: ast.Module
    index: int
    """Of the node that is changed, as `ast.walk` counts."""
    change: Callable[[Any], None]

    def tree(self) -> ast.Module:
        """The function with its change."""
        changed = copy.deepcopy(self.original)
        self.change(list(ast.walk(changed))[self.index])
        return ast.fix_missing_locations(changed)

    @contextlib.contextmanager
    def alive(self) -> Iterator[None]:
        """While inside, everybody who uses the function by its name uses the mutant."""
        original = _held(self.module, self.place)
        space: dict[str, Any] = {}
        exec(compile(self.tree(), self.name, "exec"), self.module.__dict__, space)  # noqa: S102  # that is the point
        changed = space[self.place[-1]]
        users = [
            (holder, key)
            for holder in _holders(self.module, self.place)
            for key, value in tuple(vars(holder).items())
            if value is original
        ]
        try:
            for holder, key in users:
                setattr(holder, key, changed)
            yield
        finally:
            for holder, key in users:
                setattr(holder, key, original)


def mutants_of(module: ModuleType, *places: str) -> Iterator[Mutant]:
    """Every mutant of the named functions (`name`, or `Class.name`) of a module."""
    for dotted in places:
        place = tuple(dotted.split("."))
        source = inspect.getsource(_function(_held(module, place)))
        begins = _function(_held(module, place)).__code__.co_firstlineno
        tree = ast.parse(textwrap.dedent(source))
        for index, node in enumerate(ast.walk(tree)):
            for what, change in _changes(node):
                name = f"{module.__name__}:{begins + getattr(node, 'lineno', 1) - 1}: {dotted}: {what}"
                yield Mutant(name, module, place, tree, index, change)


Change = tuple[str, Callable[[Any], None]]  # a word for it, and what does it to a copy of the node


def _changes(node: ast.AST) -> Iterator[Change]:
    """Everything that can be done to a node."""
    match node:
        case ast.If() | ast.IfExp():
            yield from (_set("test", value) for value in (True, False))
        case ast.Compare():
            yield from _compared_otherwise(node)
        case ast.BoolOp():
            yield from (_without(node, index) for index in range(len(node.values)))
        case ast.Attribute(value=ast.Name(id="Verdict")):
            yield from (_judged_as(node, verdict) for verdict in _VERDICTS if verdict != node.attr)
        case ast.keyword(value=ast.Constant(value=True)):
            yield _set("value", False)
        case ast.AugAssign() | ast.Yield() | ast.Call(func=ast.Attribute(attr="append")):
            yield "not added", _add_nothing


def _set(attribute: str, value: bool) -> Change:
    return f"{attribute} {value}", lambda node: setattr(node, attribute, ast.Constant(value))


def _compared_otherwise(node: ast.Compare) -> Iterator[Change]:
    for table in (_TURNED, _BENT):
        other = table.get(type(node.ops[0]))
        if other is not None:
            yield f"{type(node.ops[0]).__name__} → {other.__name__}", _comparing(other)


def _comparing(operator: type[ast.cmpop]) -> Callable[[Any], None]:
    return lambda node: node.ops.__setitem__(0, operator())


def _without(node: ast.BoolOp, index: int) -> Change:
    neutral = ast.Constant(isinstance(node.op, ast.And))
    return f"without part {index + 1}", lambda copied: copied.values.__setitem__(index, neutral)


def _judged_as(node: ast.Attribute, verdict: str) -> Change:
    return f"{node.attr} → {verdict}", lambda copied: setattr(copied, "attr", verdict)


def _add_nothing(node: Any) -> None:
    match node:
        case ast.AugAssign():
            node.value = ast.Tuple([], ast.Load())
        case ast.Yield():
            node.__class__ = ast.YieldFrom  # type: ignore[assignment]  # a node becomes another in its place
            node.value = ast.Tuple([], ast.Load())
        case _:
            node.func = ast.Name("repr", ast.Load())


def _held(module: ModuleType, place: Place) -> Any:
    holder: Any = module if len(place) == 1 else getattr(module, place[0])
    return vars(holder)[place[-1]]


def _function(held: Any) -> FunctionType:
    while not isinstance(held, FunctionType):
        held = held.fget if isinstance(held, property) else held.__func__
    return held


def _holders(module: ModuleType, place: Place) -> list[Any]:
    if len(place) > 1:
        return [getattr(module, place[0])]
    return [other for name, other in tuple(sys.modules.items()) if name.startswith("seatrial") and other]
