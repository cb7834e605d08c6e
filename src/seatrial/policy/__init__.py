"""The policy gate: Rego policies over the files of a project, and only what changed is evaluated again.

    policies, data ──► Ruleset ─────────────┐
    paths ─► listing ─► contents (hashes) ──┴─► memory knows the result? ── yes ─► findings
                 git, stat: what need not be read      └─ no ─► readers ─► engine ─► memory

A result is remembered under the hash of everything that it depends on: policies, data, engine and its
version, readers and their versions, and the bytes of the input. git and the file system's times only tell
which files need not be read; they never decide a verdict. So an incremental check and a full one say the
same, which `tests/bench/bench_policy.py` tries on random edits.

Policies are Rego v1 by conftest's convention: see `convention`.
"""

from seatrial.policy.checking import Request, check
from seatrial.policy.outcome import Report

__all__ = ["Report", "Request", "check"]
