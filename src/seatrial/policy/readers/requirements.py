"""`requirements.txt`, by pip's own rules.

    {"options": ["--index-url …"], "requirements": [{"name": "flask", "specifier": "==2.0", "pinned": true,
     "hashes": [], "editable": false, "link": "", "marker": "", "line": 2}, …]}

What another file adds by `-r` is judged there.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from seatrial.policy.readers.part import NotReadable, Part


def read(text: str) -> list[Part]:
    """The one document. Raises NotReadable."""
    from pip_requirements_parser import RequirementsFile  # noqa: PLC0415  # of the extra `policy`

    with tempfile.TemporaryDirectory(prefix="seatrial-") as place:  # it reads nothing but files
        copy = Path(place, "requirements.txt")
        copy.write_text(text, encoding="utf-8")
        found = RequirementsFile.from_file(str(copy)).to_dict()
    for each in found["invalid_lines"]:
        why = " ".join(str(each.get("error_message", "")).split()).removeprefix("Invalid requirement: : ")
        raise NotReadable(f"no requirement that pip understands: {why}", each["line_number"], 1)
    lines = [str(each["line"]).strip() for each in found["options"]]
    return [Part({"options": lines, "requirements": [_requirement(each) for each in found["requirements"]]})]


def _requirement(each: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": each["name"] or "",
        "specifier": ",".join(sorted(each["specifier"])),
        "pinned": bool(each["is_pinned"]),
        "hashes": list(each["hash_options"]),
        "editable": bool(each["is_editable"]),
        "link": each["link"] or "",
        "marker": each["marker"] or "",
        "line": each["requirement_line"]["line_number"],
    }
