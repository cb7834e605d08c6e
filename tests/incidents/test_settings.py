"""Keys come from the environment or a file; what is wrong is said without them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.pagerduty_double import ESCALATION_KEY, ROUTING_KEY, TOKEN

from seatrial.incidents.settings import IncidentSettings
from seatrial.model.problems import BadInput
from seatrial.model.secrets import shown


def test_without_anything_pagerduty_is_off_and_says_how_to_switch_it_on() -> None:
    settings = IncidentSettings.from_environment({})
    assert settings.off() == {
        "pagerduty": "SEATRIAL_PAGERDUTY_KEY is not set; set it, or SEATRIAL_PAGERDUTY_KEY_FILE",
        "pagerduty-escalation": "SEATRIAL_PAGERDUTY_ESCALATION_KEY is not set; set it, or "
        "SEATRIAL_PAGERDUTY_ESCALATION_KEY_FILE",
    }
    with settings.sinks() as sinks:
        assert sinks == {}


def test_everything_on(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{ROUTING_KEY}\n")
    settings = IncidentSettings.from_environment(
        {
            "SEATRIAL_PAGERDUTY_KEY_FILE": str(tmp_path / "key"),
            "SEATRIAL_PAGERDUTY_ESCALATION_KEY": ESCALATION_KEY,
            "SEATRIAL_PAGERDUTY_TOKEN": TOKEN,
            "SEATRIAL_WEBHOOK_URL": "http://127.0.0.1/hook",
            "SEATRIAL_WEBHOOK_SECRET": "hush",
            "SEATRIAL_ALERTMANAGER_URL": "http://127.0.0.1:9093",
            "SEATRIAL_REPORT_URL": "https://trials.example/",
        }
    )
    assert settings.off() == {}
    assert settings.report_of("r1") == "https://trials.example/runs/r1"
    with settings.sinks() as sinks:
        assert set(sinks) == {
            "pagerduty",
            "pagerduty-escalation",
            "pagerduty-notes",
            "webhook",
            "alertmanager",
        }
    shown = repr(settings)
    assert not [secret for secret in (ROUTING_KEY, ESCALATION_KEY, TOKEN, "hush") if secret in shown]


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"SEATRIAL_PAGERDUTY_KEY": "s3cret-and-short"}, "has exactly 32 characters, this one has 16"),
        ({"SEATRIAL_PAGERDUTY_KEY_FILE": "/nowhere"}, "cannot read /nowhere"),
        ({"SEATRIAL_WEBHOOK_URL": "http://127.0.0.1/s3cret"}, "SEATRIAL_WEBHOOK_SECRET must be"),
        ({"SEATRIAL_ALERTMANAGER_URL": "s3cret:9093"}, "not an http:// or https:// address"),
    ],
)
def test_what_is_wrong_is_said_without_the_secret(environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint) as caught:
        IncidentSettings.from_environment(environment)
    assert "s3cret" not in str(caught.value)


def test_keys_and_the_path_that_a_webhook_knows_us_by_are_shown_nowhere() -> None:
    IncidentSettings.from_environment({
        "SEATRIAL_PAGERDUTY_KEY": ROUTING_KEY,
        "SEATRIAL_WEBHOOK_URL": "https://hooks.example/services/T0/B0/s3cret-T0ken",
        "SEATRIAL_WEBHOOK_SECRET": "hush",
    })  # fmt: skip
    said = f"POST https://hooks.example/services/T0/B0/s3cret-T0ken: {ROUTING_KEY}, hush"
    assert shown(said) == (
        "POST https://hooks.example/${SEATRIAL_WEBHOOK_URL}: ${SEATRIAL_PAGERDUTY_KEY}, ${SEATRIAL_WEBHOOK_SECRET}"
    )
    IncidentSettings.from_environment(
        {"SEATRIAL_WEBHOOK_URL": "http://h/hook", "SEATRIAL_WEBHOOK_SECRET": "hush"}
    )
    assert shown("off the hook") == "off the hook"


def test_who_hears_of_what_is_said_by_the_sinks_themselves() -> None:
    kept = IncidentSettings.from_environment({}).routes()
    assert (kept.incidents, kept.escalations, kept.notes) == (("pagerduty",), ("pagerduty-escalation",), ())
    assert kept.changes == ("pagerduty",)
    chatty = {"SEATRIAL_WEBHOOK_URL": "http://127.0.0.1/hook", "SEATRIAL_WEBHOOK_SECRET": "hush"}
    routes = IncidentSettings.from_environment(chatty).routes()
    assert (routes.incidents, routes.changes) == (("pagerduty", "webhook"), ("pagerduty", "webhook"))
