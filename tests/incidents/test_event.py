"""What is told of an incident holds no secret, and is still the same incident."""

from __future__ import annotations

from seatrial.incidents.event import IncidentEvent, Kind, dedup_key
from seatrial.model import secrets


def test_an_event_is_kept_without_secrets() -> None:
    secrets.remember("s3cret-T0ken", "${TOKEN}")
    secrets.remember("shop", "${NAME}")
    event = IncidentEvent(
        kind=Kind.TRIGGER,
        dedup_key=dedup_key("shop", "crash"),
        at="2026-03-01T03:00:00+00:00",
        summary="crash failed: HTTP 500: s3cret-T0ken",
        target="shop",
        experiment="crash",
        details={
            "reasons": ["GET /?t=s3cret-T0ken"],
            "reproduce": "seatrial run x --out s3cret-T0ken",
            "n": 3,
        },
    )
    kept = IncidentEvent.from_json(event.to("pagerduty", "run").body)
    assert kept.summary == "crash failed: HTTP 500: ${TOKEN}"
    assert kept.details == {
        "reasons": ["GET /?t=${TOKEN}"], "reproduce": "seatrial run x --out ${TOKEN}", "n": 3,
    }  # fmt: skip
    assert (kept.dedup_key, kept.target, kept.experiment) == ("seatrial/shop/crash", "shop", "crash")
