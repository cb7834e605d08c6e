"""What options say, as records."""

from __future__ import annotations

import pytest

from seatrial.cli.sharing import Sharing
from seatrial.cli.terms import workers_of
from seatrial.model.problems import BadInput
from seatrial.model.workers import MOST_ON_A_MACHINE


@pytest.mark.parametrize("count", [MOST_ON_A_MACHINE + 1, 100_000_000])
def test_a_machine_is_not_filled_with_workers(count: int) -> None:
    with pytest.raises(BadInput, match=f"--workers: {count:,} are more than the 256 that are started on one"):
        workers_of(Sharing(count))
    workers = workers_of(
        Sharing(MOST_ON_A_MACHINE, workers_listen="[::1]:5557", on_lost="abort", rows="keep")
    )
    assert workers.local == MOST_ON_A_MACHINE
    assert workers.options() == {"--workers-listen": "[::1]:5557", "--on-lost": "abort", "--rows": "keep"}


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (Sharing(workers_listen="127.0.0.1"), "--workers-listen"),
        (Sharing(on_lost="continue"), "--on-lost"),
        (Sharing(rows="stream", on_lost="abort"), "--on-lost, --rows"),
    ],
)
def test_how_a_load_is_shared_is_refused_where_nobody_shares_it(said: Sharing, named: str) -> None:
    with pytest.raises(BadInput, match=f"^{named}: .*there are none; say who they are, by --workers, "):
        workers_of(said)


def test_who_share_a_load_without_saying_how_do_it_as_ever() -> None:
    assert workers_of(Sharing()).count == 0
    assert workers_of(Sharing(2)).options() == {}
