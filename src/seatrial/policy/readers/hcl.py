"""HCL 2 (Terraform) in the shape of hcl2json, which conftest's policies are written for.

    resource "aws_s3_bucket" "logs" { … }    {"resource": {"aws_s3_bucket": {"logs": [{…}]}}}
    versioning { enabled = true }            {"versioning": [{"enabled": true}]}

Expressions that nobody can evaluate without Terraform stay text: `"${var.region}"`.
"""

from __future__ import annotations

from typing import Any

from seatrial.policy.readers.part import NotReadable, Part

_BLOCK = "__is_block__"


def read(text: str) -> list[Part]:
    """The one document. Raises NotReadable."""
    import hcl2  # noqa: PLC0415  # of the extra `policy`, and slow to load
    from hcl2.utils import SerializationOptions  # noqa: PLC0415
    from lark.exceptions import LarkError  # noqa: PLC0415

    options = SerializationOptions(
        with_comments=False, preserve_heredocs=False, strip_string_quotes=True, explicit_blocks=True
    )
    try:
        tree = hcl2.parses_to_tree(text)
        _once_each(tree)
        found = hcl2.serialize(hcl2.transform(tree), serialization_options=options)
    except LarkError as error:
        line, column = getattr(error, "line", None), getattr(error, "column", None)
        known = isinstance(line, int) and line > 0
        why = f"not valid HCL: {str(error).strip().splitlines()[0]}"
        raise NotReadable(why, line if known else None, column if known else None) from error
    except (ValueError, RuntimeError) as error:
        raise NotReadable(f"not valid HCL: {error}") from error
    return [Part(_plain(found))]


def _once_each(tree: Any) -> None:
    """Raises NotReadable for an attribute that stands twice in one body, as HCL itself does."""
    for body in tree.find_data("body"):
        seen: dict[str, int] = {}
        for attribute in body.children:
            if getattr(attribute, "data", "") != "attribute":
                continue
            name = attribute.children[0].children[0]
            if str(name) in seen:
                why = f"the attribute '{name}' stands twice in one body, in line {seen[str(name)]} as well"
                raise NotReadable(why, name.line, name.column)
            seen[str(name)] = name.line


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _blocks(each) if _holds_blocks(each) else _plain(each)
        for key, each in value.items()
        if key != _BLOCK
    }


def _holds_blocks(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_block, value))


def _is_block(value: Any) -> bool:
    """Whether labels alone lead to a block's body."""
    while isinstance(value, dict) and _BLOCK not in value and len(value) == 1:
        value = next(iter(value.values()))
    return isinstance(value, dict) and _BLOCK in value


def _blocks(values: list[Any]) -> Any:
    """Bodies of one kind of block, in a list at the end of their labels."""
    if any(_BLOCK in each for each in values):
        return [_plain(each) for each in values]
    labels: dict[str, list[Any]] = {}
    for each in values:
        (label, inside), *_ = each.items()
        labels.setdefault(label, []).append(inside)
    return {label: _blocks(inside) for label, inside in labels.items()}
