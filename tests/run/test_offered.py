"""Whether requests came at the rate that was asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.run.test_judge import experiment, log, story

from seatrial.load.offer import Offer
from seatrial.model.arrivals import RateStep
from seatrial.model.loadaccount import LoadAccount
from seatrial.model.quantities import Rate
from seatrial.model.requestsize import RequestsPerArrival
from seatrial.model.verdict import Verdict
from seatrial.run.judge import Story, judge, judge_objectives
from seatrial.run.offered import account_of, doubt_of_rate

FOUND = RequestsPerArrival(5.0, 0.0, 40)


def judged(account: LoadAccount, bad_s: float = 0.0) -> tuple[Verdict, tuple[str, ...]]:
    """A run of 2,000 requests in 20 s, all good but those of the first `bad_s`."""
    promised = experiment("objectives: {errors: {max: 50%}}\n")
    told = replace(story(promised, log(0, bad_s)), load=account)
    assert told.measurement is not None
    generator = replace(told.measurement.generator, arrivals=400)
    told = replace(told, measurement=replace(told.measurement, generator=generator))
    judgement = judge(told, judge_objectives(told), ())
    return judgement.verdict, judgement.reasons


@pytest.mark.parametrize(
    ("account", "bad_s", "reason"),
    [
        (LoadAccount(), 0.0, ""),
        (LoadAccount("requests", 100.0, FOUND), 0.0, ""),
        (LoadAccount("requests", 80.0, FOUND), 0.0, ""),
        (LoadAccount("requests", 104.0, FOUND), 0.0, ""),
        (LoadAccount("requests", 110.0, FOUND), 0.0, "6,000/min of 6,600/min; an arrival made 5, and 5 in the"),
        (LoadAccount("requests", 110.0, FOUND), 1.0, ""),  # journeys that failures cut short explain as much
        (LoadAccount("requests", 100.0, replace(FOUND, margin=1.0)), 0.0, "they vary too much"),
    ],
)  # fmt: skip
def test_a_load_that_is_less_than_was_asked_for_is_no_pass(
    account: LoadAccount, bad_s: float, reason: str
) -> None:
    verdict, reasons = judged(account, bad_s)
    if not reason:
        assert (verdict, reasons) == (Verdict.PASS, ())
        return
    assert verdict is Verdict.UNKNOWN
    assert reasons[0].startswith(f"requests did not come at the rate that was asked for: {reason}")


def test_what_was_wanted_is_told_of_what_was_corrected() -> None:
    load = experiment("").load
    offer = Offer((RateStep(0.0, Rate(40, 1.0)),), "even", 0, 2.0, 20.0, per_arrival=FOUND)
    assert account_of(load, None, 20.0) == LoadAccount()
    assert account_of(load, replace(offer, per_arrival=None), 20.0) == LoadAccount()
    assert account_of(load, offer, 10.0).wanted_per_s == 200.0
    assert account_of(load, offer, 0.0).wanted_per_s is None


def test_a_run_without_a_measured_part_is_no_matter_of_rates() -> None:
    told: Story = story(experiment(""), log())
    assert told.measurement is not None
    assert doubt_of_rate(LoadAccount("requests"), told.measurement) == ""
