"""The requests of an access log, sent again: each arrival is one of them.

    load: {scenario: loadtests/replay.py, replay: access.log}

The log has no bodies, no headers and no cookies, so none are sent, and what it answered then is what is good
now: a 404 that was one in the log is no failure, and one that was a 200 there is. Everything goes to the
target, whatever hosts stand in the log.
"""

from __future__ import annotations

from locust import task

from seatrial.load import OpenLoopUser


class Visitor(OpenLoopUser):
    """Whoever it was."""

    @task
    def ask_again(self) -> None:
        """Send the request of this arrival."""
        row = self.row
        with self.client.request(
            row["method"], row["path"], name=row["name"], allow_redirects=False, catch_response=True
        ) as answer:
            if 400 <= answer.status_code < 500 and row["status"].startswith("4"):
                answer.success()
