"""The smallest scenario: every arrival asks for the front page of any HTTP service."""

from locust import task

from seatrial.load import OpenLoopUser


class Visitor(OpenLoopUser):
    """Somebody who looks in."""

    @task
    def home(self) -> None:
        """Open the front page."""
        self.client.get("/")
