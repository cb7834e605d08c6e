"""What is driven against the calibration server: one request an arrival, nothing else."""

from __future__ import annotations

from locust import task

from seatrial.load import OpenLoopUser


class Probe(OpenLoopUser):
    """Asks for the front page."""

    @task
    def probe(self) -> None:
        """One request."""
        self.client.get("/")
