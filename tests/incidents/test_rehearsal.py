"""A rehearsal shows the real words of a failure and sends nothing."""

from datetime import UTC, datetime

from tests.support.results import result

from seatrial.incidents.rehearsal import REASON, rehearse
from seatrial.model.verdict import Verdict


def test_the_request_is_that_of_a_failure() -> None:
    request = rehearse(
        result(Verdict.PASS), datetime(2026, 3, 1, tzinfo=UTC), "critical", "seatrial run x.yaml"
    )
    assert request["event_action"] == "trigger"
    payload = request["payload"]
    assert isinstance(payload, dict)
    assert payload["severity"] == "critical"
    assert REASON in str(payload)
    assert "seatrial run x.yaml" in str(payload)
    assert "routing_key" not in request
