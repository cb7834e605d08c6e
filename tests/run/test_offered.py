"""Whether requests came at the rate that was asked for."""

from __future__ import annotations

from dataclasses import replace

from tests.run.test_judge import experiment

from seatrial.load.offer import Offer
from seatrial.model.arrivals import RateStep
from seatrial.model.loadaccount import LoadAccount
from seatrial.model.quantities import Rate
from seatrial.model.requestsize import RequestsPerArrival
from seatrial.run.offered import account_of

FOUND = RequestsPerArrival(5.0, 0.0, 40)


def test_what_was_wanted_is_told_of_what_was_corrected() -> None:
    load = experiment("").load
    offer = Offer((RateStep(0.0, Rate(40, 1.0)),), "even", 0, 2.0, 20.0, per_arrival=FOUND)
    assert account_of(load, None, 20.0) == LoadAccount()
    assert account_of(load, None, 20.0, ("a wait",)) == LoadAccount(notices=("a wait",))
    assert account_of(load, replace(offer, per_arrival=None), 20.0) == LoadAccount()
    assert account_of(load, offer, 10.0).wanted_per_s == 200.0
    assert account_of(load, offer, 0.0).wanted_per_s is None


def test_what_the_clients_spoke_is_told() -> None:
    load = experiment("").load
    assert account_of(load, None, 20.0).http == "1.1"
    assert account_of(load.model_copy(update={"http": "2"}), None, 20.0).http == "2"
