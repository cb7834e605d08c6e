"""Packages of other people, installed: a directory on the path with the module and the record of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def install(
    site: Path, name: str, modules: Mapping[str, str], entry_points: Mapping[str, Mapping[str, str]]
) -> None:
    """What an installer leaves behind in `site`: the modules, METADATA and entry_points.txt.

    `modules`: source text by module name; `entry_points`: group → declared name → `module:Class`.
    """
    for module, text in modules.items():
        (site / f"{module}.py").write_text(text)
    record = site / f"{name.replace('-', '_')}-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = []
    for group, points in entry_points.items():
        lines += [f"[{group}]", *(f"{declared} = {value}" for declared, value in points.items())]
    (record / "entry_points.txt").write_text("\n".join(lines) + "\n")
