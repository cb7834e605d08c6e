from __future__ import annotations

import pytest

from seatrial.capacity.objective import objectives_of, told, with_errors
from seatrial.model.experiment import Objectives


@pytest.mark.parametrize(
    ("texts", "means"),
    [
        (["p95 < 900ms"], ("p95 <= 0.9s", "errors <= 1%")),
        (["p95<900ms and errors <= 0.1%"], ("p95 <= 900ms", "errors <= 0.1%")),
        (["p99 ≤ 2s, p50 < 10ms"], ("p50 <= 10ms", "p99 <= 2s", "errors <= 1%")),
        (["max < 5s", "errors < 2%"], ("max <= 5s", "errors <= 2%")),
    ],
)
def test_what_is_written_is_what_is_promised_and_errors_are_limited_always(
    texts: list[str], means: tuple[str, ...]
) -> None:
    assert told(with_errors(objectives_of(texts))) == tuple(each.replace("0.9s", "900ms") for each in means)


def test_each_downtime_says_after_what_it_counts_and_whose_it_is() -> None:
    promised = Objectives.model_validate(
        {"downtime": [{"max": "1s", "after": "crash"}, {"max": "3s", "after": "crash", "per": "tenant"}]}
    )
    assert told(promised) == ("downtime after crash <= 1s", "downtime per tenant after crash <= 3s")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("fast", "'fast' is no objective; write it like 'p95 < 900ms'"),
        ("p95 > 900ms", "is no objective"),
        ("p59 < 1s", "'p59' is not one of p50, p90, p95, p99, max, errors; did you mean"),
        ("p95 < 900", "'900' is not a duration"),
        ("errors < 2", "'2' is not a share"),
        ("p95 < 1s and p95 < 2s", "'p95' is limited twice"),
        ("errors < 1%, errors < 2%", "'errors' is limited twice"),
        ("", "'' is no objective"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong.replace("?", r"\?")):
        objectives_of([text])
