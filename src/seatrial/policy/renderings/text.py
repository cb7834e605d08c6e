"""A report for people: what is denied, where, by which control, and how to comply; then the sum of it."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.policy.outcome import Finding, Level, Report

_WORDS = {Level.DENY: "✗ denied", Level.WARN: "! warned"}


def text(report: Report) -> str:
    """Lines, without colours."""
    lines: list[str] = []
    for level in (Level.WARN, Level.DENY):
        for path, finding in report.findings(level):
            lines += _finding(path, finding)
    for path, broken in report.broken:
        place = ":".join(str(part) for part in (path, broken.line, broken.column) if part is not None)
        lines.append(f"? not judged  {place}: {broken.why}")
    return "\n".join([*lines, *([""] if lines else []), summary(report)]) + "\n"


def summary(report: Report) -> str:
    """One line."""
    counts = [
        f"{len(report.findings(Level.DENY)):,} denied",
        f"{len(report.findings(Level.WARN)):,} warned",
        *([f"{report.exempted:,} exempted"] if report.exempted else []),
        *([f"{len(report.broken):,} not judged"] if report.broken else []),
    ]
    return (
        f"{report.verdict}: {', '.join(counts)}; {report.inputs:,} files by {len(report.rules):,} rules, "
        f"{report.evaluated:,} of them evaluated now, in {report.elapsed_s:.2f} s ({report.engine})"
    )


def _finding(path: str, finding: Finding) -> Iterator[str]:
    yield f"{_WORDS[finding.level]}  {path}:{finding.line}: {_line(finding.message)} [{finding.id}]"
    if finding.control:
        yield f"    control  {_line(finding.control)}"
    if finding.comply:
        yield f"    comply   {_line(finding.comply)}"


def _line(text: str) -> str:
    """What a policy says, in which the judged file has a say: it moves no cursor and begins no line."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in " ".join(text.split()))
