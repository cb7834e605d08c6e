"""The files that are written, all or none: where one of them is already, nothing is touched."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path, PurePosixPath

import jinja2

from seatrial import disk
from seatrial.explain.schemas import schema
from seatrial.model.problems import BadInput, Problem
from seatrial.scaffold.service import Service

_EXPERIMENTS = PurePosixPath("chaos")
_TEMPLATES: Mapping[str, PurePosixPath] = {
    "target.yaml": _EXPERIMENTS / "target.yaml",
    "scenario.py": _EXPERIMENTS / "scenario.py",
    "load.yaml": _EXPERIMENTS / "load.yaml",
    "deploy.yaml": _EXPERIMENTS / "deploy.yaml",
    "deploy.sh": _EXPERIMENTS / "deploy.sh",
    "monthly.yaml": _EXPERIMENTS / "monthly.yaml",
    "readiness.yaml": _EXPERIMENTS / "readiness.yaml",
    "workflow.yaml": PurePosixPath(".github/workflows/seatrial.yaml"),
}
_SCHEMAS = ("experiment", "target", "schedule", "readiness")
_PROGRAM = 0o755

Texts = Mapping[PurePosixPath, str]


def files_of(service: Service) -> dict[PurePosixPath, str]:
    """Each file for a service, by its path from where they are written."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("seatrial.scaffold"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  # what is written is YAML, Python and shell
    )
    environment.filters["quoted"] = json.dumps  # which YAML and Python read alike
    wanted = {
        name: path for name, path in _TEMPLATES.items() if name != "scenario.py" or not service.locustfile
    }
    known = {**asdict(service), "name": service.name, "host": service.host, "is_local": service.is_local}
    texts = {path: environment.get_template(f"{name}.j2").render(known) for name, path in wanted.items()}
    for kind in _SCHEMAS:
        texts[_EXPERIMENTS / "schema" / f"{kind}.json"] = json.dumps(schema(kind), indent=1) + "\n"
    return texts


def write(texts: Texts, directory: Path) -> None:
    """Write them under a directory, which is made. Raises BadInput, and writes none, when one is there."""
    there = [directory / path for path in texts if os.path.lexists(directory / path)]
    if there:
        told = "is there already, and nothing is written over; move it away, or name another directory"
        raise BadInput([Problem(f"{path}: {told}") for path in there])
    with disk.storing("the files of a first trial", directory):
        for path, text in texts.items():
            place = directory / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
            if text.startswith("#!"):
                place.chmod(_PROGRAM)
