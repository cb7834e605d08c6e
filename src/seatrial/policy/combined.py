"""All files as one input, for rules that compare them: conftest's `--combine`.

    input[i].path, input[i].contents        one element a document, by path

A message that is an object with `path` is told of that file, another of all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from seatrial.policy.contents import read
from seatrial.policy.convention import told_of
from seatrial.policy.engines import Document, Engine, NotEvaluated
from seatrial.policy.outcome import Broken, Finding, Told
from seatrial.policy.readers import NotReadable, as_json, parts_of, reader_of
from seatrial.policy.ruleset import Ruleset

ALL = "Combined"
"""What a message about no file in particular is told of."""


def judged_together(
    engine: Engine, ruleset: Ruleset, paths: Sequence[str]
) -> tuple[dict[str, Told], Mapping[str, str]]:
    """What is told of each file and of all, and the hash of each file's bytes as they were judged.

    Raises BadInput, Unavailable.
    """
    elements: list[str] = []
    lines: dict[str, int] = {}
    told: dict[str, Told] = {}
    hashes: dict[str, str] = {}
    for path in paths:
        try:
            data = read(path).data
            hashes[path] = hashlib.sha256(data).hexdigest()
            parts = parts_of(reader_of(path), data)
            own = [as_json({"path": path, "contents": part.data}) for part in parts]
        except NotReadable as error:
            told[path] = Told(broken=Broken(error.why, error.line, error.column))
            continue
        lines[path] = parts[0].line
        elements += own
    document = Document(f"[{','.join(elements)}]", ALL)
    (answer,) = engine.load(ruleset).answers([document])
    if isinstance(answer, NotEvaluated):
        why = f"a policy cannot judge it: {answer.why}"
        told[ALL] = Told(broken=Broken(why, lasting=answer.lasting))
        return told, hashes
    found = told_of(answer, 1)
    for finding in found.findings:
        path = _about(finding, lines)
        so_far = told.get(path, Told())
        placed = replace(finding, line=lines.get(path, 1))
        told[path] = replace(so_far, findings=(*so_far.findings, placed))
    if found.exempted:
        told[ALL] = replace(told.get(ALL, Told()), exempted=found.exempted)
    return told, hashes


def _about(finding: Finding, known: Mapping[str, int]) -> str:
    path = finding.more.get("path")
    return path if isinstance(path, str) and path in known else ALL
