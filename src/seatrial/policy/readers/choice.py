"""Which reader a file's name asks for, and the versions of the libraries behind them."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Callable, Mapping
from pathlib import PurePath

from seatrial.policy.readers import dockerfile, hcl, json_text, requirements, toml_text, yaml_text
from seatrial.policy.readers.part import NotReadable, Part

Reader = Callable[[str], list[Part]]

READERS: Mapping[str, Reader] = {
    "yaml": yaml_text.read,
    "json": json_text.read,
    "jsonc": json_text.read_with_comments,
    "toml": toml_text.read,
    "hcl2": hcl.read,
    "dockerfile": dockerfile.read,
    "requirements": requirements.read,
}
_BY_EXTENSION = {
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".jsonc": "jsonc",
    ".toml": "toml",
    ".hcl": "hcl2",
    ".tf": "hcl2",
    ".tfvars": "hcl2",
    ".dockerfile": "dockerfile",
    ".containerfile": "dockerfile",
}
# of what is about Dockerfiles: dockerfile.py
_PROGRAMS = frozenset({".py", ".go", ".js", ".ts", ".rs", ".java", ".rb", ".sh", ".md", ".txt", ".rego"})
_LIBRARIES = ("pyyaml", "python-hcl2", "dockerfile", "json5", "pip-requirements-parser", "packaging")


@functools.lru_cache(maxsize=65536)
def reader_of(name: str) -> str:
    """The name of the reader for a file of this name; "" when none reads it."""
    file = name.rpartition("/")[2].lower()
    ending = PurePath(file).suffix
    if file.partition(".")[0] in ("dockerfile", "containerfile") and ending not in _PROGRAMS:
        return "dockerfile"
    if file.startswith("requirements") and file.endswith((".txt", ".in")):
        return "requirements"
    if file.startswith(("tsconfig", "jsconfig")) and file.endswith(".json"):
        return "jsonc"  # TypeScript's own files are JSON with comments
    return _BY_EXTENSION.get(ending, "")


def parts_of(reader: str, data: bytes) -> list[Part]:
    """The documents of a file's bytes. Raises NotReadable."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise NotReadable(f"not text in UTF-8: {error.reason}", line, column) from error
    try:
        return READERS[reader](text)
    except RecursionError as error:
        raise NotReadable("nested too deeply") from error


@functools.cache
def reader_versions() -> str:
    """The libraries that read files, with their versions: other versions may read a file as other data."""
    return " ".join(f"{name}={importlib.metadata.version(name)}" for name in _LIBRARIES)
