"""`suite.json`: what scripts read of a suite. Its keys are a contract: names and meanings stay."""

from __future__ import annotations

from typing import Any

from seatrial.model.suiteresult import SuiteResult


def suite_document(whole: SuiteResult) -> dict[str, Any]:
    """A suite as JSON-ready data: its verdict and each run's, with where the runs' evidence is."""
    return {
        "suite": whole.suite,
        "verdict": whole.verdict,
        "runs": [
            {
                "run": result.run,
                "experiment": result.experiment,
                "verdict": result.verdict,
                "reasons": result.reasons,
                "objectives": result.objectives,
            }
            for result in whole.runs
        ],
        "not_run": whole.not_run,
        "directory": str(whole.directory),
    }
