"""The content of a request, from the forms in which requests and geventhttpclient take it."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import urlencode

from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

FORM = "application/x-www-form-urlencoded"


def body_of(data: Any, json: Any, files: Any = None) -> tuple[bytes | None, str]:
    """The content and its type: "" for none, or for the scenario to say.

    `data`: text, bytes, a form as a mapping or as pairs, a file, or an iterable of bytes. `json` counts where
    there is no data. Files make it a multipart form, of which data are the other fields.
    """
    if files:
        content, content_type = encode_multipart_formdata([*_fields(data), *_uploads(files)])
        return content, content_type
    if not data and json is not None:
        return jsonlib.dumps(json, separators=(",", ":")).encode(), "application/json"
    if not data and not isinstance(data, str | bytes):
        return None, ""
    if isinstance(data, Mapping | list | tuple):
        return encoded(data).encode(), FORM
    return _plain(data), ""


def encoded(pairs: Any) -> str:
    """A query or a form: a mapping or pairs, without those that have no value; or text as it is."""
    if isinstance(pairs, str | bytes):
        return pairs if isinstance(pairs, str) else pairs.decode()
    return urlencode(list(_flat(pairs)))


def _flat(pairs: Any) -> Iterator[tuple[Any, Any]]:
    for name, value in _items(pairs):
        values = [value] if isinstance(value, str | bytes) or not isinstance(value, Iterable) else value
        for each in values:
            if each is not None:
                yield name, each


def _items(pairs: Any) -> Iterable[tuple[Any, Any]]:
    return pairs.items() if isinstance(pairs, Mapping) else pairs


def _fields(data: Any) -> Iterator[tuple[str, str | bytes]]:
    for name, value in _flat(data or {}):
        yield str(name), value if isinstance(value, bytes) else str(value)


def _uploads(files: Any) -> Iterator[RequestField]:
    """Each file is its content, or (file name, content), and then its type, and then its headers."""
    for name, given in _items(files):
        parts = given if isinstance(given, tuple | list) else (_file_name(given) or name, given)
        file_name, content, content_type, headers = (*parts, None, None)[:4]
        if content is not None:
            read = content.read() if hasattr(content, "read") else content
            field = RequestField(name=name, data=read, filename=file_name, headers=headers)
            field.make_multipart(content_type=content_type)
            yield field


def _file_name(file: Any) -> str:
    name = getattr(file, "name", "")
    return PurePath(name).name if isinstance(name, str) and not name.startswith("<") else ""


def _plain(data: Any) -> bytes:
    """Text, bytes, a file, or an iterable of text and bytes."""
    if isinstance(data, str | bytes):
        return data.encode() if isinstance(data, str) else data
    if hasattr(data, "read"):
        return _plain(data.read())
    return b"".join(map(_plain, data))
