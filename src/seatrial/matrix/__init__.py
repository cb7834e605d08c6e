"""The readiness matrix: what must be true, what shows it, and who has signed for it.

    readiness.yaml ─► collecting ─► Finding per piece of evidence ─► judging ─► Matrix ─► rendering
    run database ────────┘                                                        │
    evidence directories ┘                          signing ◄── statement ◄───────┘
                                                       └─► ledger      bundle ─► verified offline

`judging` and `statement` are pure: what was found and an instant in, rows out. A row passes when all that it
rests on passes and is fresh. Nothing averages an unknown away, and what was deleted or has expired is stale.
"""

from seatrial.matrix.finding import Finding, Kind
from seatrial.matrix.judging import Matrix, MatrixRow, RowVerdict, judge

__all__ = ["Finding", "Kind", "Matrix", "MatrixRow", "RowVerdict", "judge"]
