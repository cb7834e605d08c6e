"""The matrix as Markdown, and its place in a file that holds more than it.

<!-- seatrial matrix -->
… this part is written anew, and nothing else of the file …
<!-- /seatrial matrix -->
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from seatrial import disk
from seatrial.matrix.finding import Finding, Kind
from seatrial.matrix.judging import Matrix, MatrixRow, RowVerdict
from seatrial.matrix.signing import SignOff
from seatrial.model.problems import BadInput
from seatrial.report.noticing import detection

BEGIN, END = "<!-- seatrial matrix -->", "<!-- /seatrial matrix -->"
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#])")


def markdown(matrix: Matrix, signed: Sequence[SignOff]) -> str:
    """The rows, what blocks, and who has signed, as it fits into an architecture decision record."""
    return "\n".join([*_lines(matrix, signed), ""])


def _lines(matrix: Matrix, signed: Sequence[SignOff]) -> Iterator[str]:
    yield f"**{_plain(matrix.title or matrix.readiness)}**, {matrix.at:%Y-%m-%d %H:%M} UTC: {summary(matrix)}"
    yield ""
    noticed = any(row.detections for row in matrix.rows)
    priced = any(row.costed for row in matrix.rows)
    beside = [*(["noticed", "well again"] if noticed else []), *(["a million requests"] if priced else [])]
    heads = ["id", "requirement", "risk", "target", "verdict", "measured", *beside, "evidence", "expires"]
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in matrix.rows:
        yield _row(row, noticed, priced)
    for note, rows in matrix.notes.items():
        yield ""
        yield _plain(f"{', '.join(rows)}: {note}")
    if signed:
        yield ""
        yield "| signs off | who | when | |"
        yield "|---|---|---|---|"
        for each in signed:
            yield _sign_off(each)


def _row(row: MatrixRow, noticed: bool, priced: bool) -> str:
    key = row.key
    measured = f"{key.figure.name} {key.figure}" if key and key.figure else ""
    if row.verdict is not RowVerdict.PASS:
        measured = f"{measured}; {row.reason}" if measured else row.reason
    evidence = ", ".join(evidence_of(each) for each in row.findings)
    expires = f"{row.expires_at:%Y-%m-%d}" if row.expires_at else ""
    cells = (row.id, row.requirement, row.risk, row.target, f"**{row.verdict}**")
    shown = [_plain(cell) if number < 4 else cell for number, cell in enumerate(cells)]
    beside = [_plain("; ".join(told)) for told in noticed_in(row)] if noticed else []
    beside += [_plain(cost_in(row))] if priced else []
    return f"| {' | '.join([*shown, _plain(measured), *beside, _plain(evidence), expires])} |"


def noticed_in(row: MatrixRow) -> tuple[list[str], list[str]]:
    """How soon each fault was noticed, and how soon all was well again, by its step."""
    views = [detection(one) for one in row.detections]
    return (
        [f"{each.step} {each.noticed} ({each.alert})" for each in views],
        list(dict.fromkeys(f"{each.step} {each.recovered}" for each in views)),
    )


def cost_in(row: MatrixRow) -> str:
    """What a million requests cost in a run that the row rests on; empty where none tells it."""
    found = row.costed
    return str(found.cost.shown) if found and found.cost else ""


def evidence_of(finding: Finding) -> str:
    """What a finding rests on, in a few words: a run, a file and its hash, a person."""
    if finding.kind is Kind.ATTESTED:
        return f"attested by {finding.by}, not measured" if finding.by else "no attestation"
    if finding.kind is Kind.IMPORTED:
        return f"{finding.what} {finding.sha256[:12]}" if finding.sha256 else f"{finding.what}: none"
    return f"{finding.run} {finding.sha256[:12]}".strip() if finding.run else "no run"


def summary(matrix: Matrix) -> str:
    """How much of it is measured, and what blocks."""
    counts = ((verdict, matrix.count(verdict)) for verdict in RowVerdict)
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts if count)
    blockers = ", ".join(row.id for row in matrix.blockers)
    blocked = f"; blocked by {blockers}" if blockers else ""
    return f"{matrix.measured} of {len(matrix.rows)} measured ({told}){blocked}"


def _sign_off(each: SignOff) -> str:
    word = each.word
    if word is None:
        return f"| {each.role} | | | not signed |"
    key = "" if word.key else ", without a key"
    state = "stands" if each.stands else f"**void**: {_plain('; '.join(each.voided))}"
    return f"| {each.role} | {_plain(word.name)}{key} | {word.instant:%Y-%m-%d %H:%M} UTC | {state} |"


def _plain(text: str) -> str:
    """Text that Markdown takes for text, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def placed(path: Path, text: str) -> bool:
    """Put `text` between the two marks of a file; whether the file changed. Raises BadInput, CannotStore."""
    try:
        whole = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from error
    if (whole.count(BEGIN), whole.count(END)) != (1, 1) or whole.index(BEGIN) > whole.index(END):
        raise BadInput(f"{path}: where the matrix belongs is not marked; write once: {BEGIN} and then {END}")
    head, rest = whole.split(BEGIN)
    changed = f"{head}{BEGIN}\n{text}{END}{rest.split(END)[1]}"
    if changed == whole:
        return False
    with disk.storing("the matrix", path):
        disk.write_whole(path, changed.encode())
    return True
