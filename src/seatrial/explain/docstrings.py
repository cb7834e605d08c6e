"""The texts that stand in the code: of a module, of a class, and below each field of a record.

    table: str = Field(examples=["shop.orders"])
    \"\"\"The table, with its schema where it has one.\"\"\"

Pydantic could read the last kind itself (`use_attribute_docstrings`), for every class as it is made. That
would cost each command a tenth of a second for texts that few of them show: here they are read when asked.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise

from pydantic import BaseModel


def text_of(declared: type, name: str = "") -> str:
    """What stands above a class; of what has a file of its own, named after it, what stands above that."""
    module = sys.modules[declared.__module__]
    alone = name and module.__name__.rpartition(".")[2] == re.sub("[.-]", "_", name)
    return inspect.cleandoc((alone and module.__doc__) or declared.__doc__ or "")


def descriptions(record: type[BaseModel]) -> Mapping[str, str]:
    """What stands below each field, in one line each; fields of the classes that it derives from included."""
    declared = {name: field.description or "" for name, field in record.model_fields.items()}
    texts = declared | texts_below(record)
    return {name: texts[name] for name in record.model_fields}


def texts_below(declared: type) -> dict[str, str]:
    """What stands below each attribute of a class, in one line each: fields, messages, members of an enum."""
    texts: dict[str, str] = {}
    for owner in reversed(declared.__mro__):
        texts |= _attributes(owner.__module__).get(owner.__qualname__, {})
    return texts


@functools.cache
def _attributes(module: str) -> Mapping[str, Mapping[str, str]]:
    """The texts below the attributes of every class of a module, by the class; none without its source."""
    try:
        source = inspect.getsource(sys.modules[module])
    except (OSError, TypeError, KeyError):  # built in, or without its source
        return {}
    return {name: dict(_below(node)) for name, node in _classes(ast.parse(source).body)}


def _classes(body: list[ast.stmt], within: str = "") -> Iterator[tuple[str, ast.ClassDef]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield f"{within}{node.name}", node
            yield from _classes(node.body, f"{within}{node.name}.")


def _below(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for attribute, text in pairwise(node.body):
        if (
            isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and (name := _name_of(attribute))
        ):
            yield name, " ".join(str(text.value.value).split())


def _name_of(node: ast.stmt) -> str:
    """The attribute that a statement gives a value or a type; "" when it is something else."""
    match node:
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case _:
            return ""
