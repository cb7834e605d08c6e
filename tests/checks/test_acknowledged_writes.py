"""Each kind of loss is caught, every time; what clients cannot know is counted and forgiven."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.rows import log_of

from seatrial.checks import held_writes
from seatrial.checks.protocol import History, Need, Recorded
from seatrial.checks.registry import build
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import CheckResult
from seatrial.model.verdict import Verdict

Copies = list[tuple[str, str | None]]


def row(
    number: int, *, ok: bool, status: int, error: str = "", sent: float | None = 0.0
) -> dict[str, object]:
    key = f"id-{number} tenant-{number % 3} sku-{number % 7} {number % 5}"
    due = float(number)
    return {"intended": due, "sent": None if sent is None else due, "ended": due + 0.01, "ok": ok, "status": status,
            "name": "POST /orders", "served_by": "", "error": error, "worker": "", "key": key}  # fmt: skip


ACKNOWLEDGED = [row(number, ok=True, status=201) for number in range(100)]
REFUSED = [
    row(100, ok=False, status=422),
    row(101, ok=False, status=0, error="connection refused"),
    row(102, ok=False, status=0, error="dropped", sent=None),
]
INDETERMINATE = [
    row(103, ok=False, status=503),
    row(104, ok=False, status=0, error="deadline"),
    row(105, ok=False, status=409),
]
READS = [{**row(106, ok=True, status=200), "key": None}]
LOG = log_of([*ACKNOWLEDGED, *REFUSED, *INDETERMINATE, *READS])


def faithful() -> Copies:
    """What a target holds that lost nothing, and that carried out one of the indeterminate writes."""
    kept = [*ACKNOWLEDGED, INDETERMINATE[0]]
    return [
        (identity, content) for identity, _, content in (str(each["key"]).partition(" ") for each in kept)
    ]


def judged(copies: Copies, error: str = "", log: RequestLog = LOG) -> CheckResult:
    check = build("acknowledged-writes", {})
    stored = Recorded(None, error) if error else Recorded(tuple(copies))
    return check.judge(History(log, (), 2.0, 200.0, {Need("writes", "writes"): stored}))


def test_a_faithful_target_passes_and_the_indeterminate_are_counted() -> None:
    result = judged(faithful())
    assert result.verdict is Verdict.PASS
    assert result.figures["acknowledged"] == 100
    assert result.figures["refused"] == 3
    assert (result.figures["indeterminate"], result.figures["indeterminate_there"]) == (3, 1)


def lose(copies: Copies, chance: random.Random) -> None:
    copies.pop(chance.randrange(100))


def double(copies: Copies, chance: random.Random) -> None:
    copies.append(chance.choice(copies))


def swap_the_tenant(copies: Copies, chance: random.Random) -> None:
    index = chance.randrange(100)
    identity, content = copies[index]
    assert content is not None
    copies[index] = (identity, content.replace("tenant-", "other-"))


def carry_out_what_was_refused(copies: Copies, chance: random.Random) -> None:
    identity, _, content = str(chance.choice(REFUSED)["key"]).partition(" ")
    copies.append((identity, content))


def exchange_two_contents(copies: Copies, chance: random.Random) -> None:
    """Every id and every content is there, as often as it should be."""
    one = chance.randrange(100)
    other = chance.choice([at for at in range(100) if copies[at][1] != copies[one][1]])
    (first, content), (second, instead) = copies[one], copies[other]
    copies[one], copies[other] = (first, instead), (second, content)


def lose_one_and_double_another(copies: Copies, chance: random.Random) -> None:
    """The count is right."""
    lost, doubled = chance.sample(range(100), 2)
    copies[lost] = copies[doubled]


def lose_the_last(copies: Copies, _: random.Random) -> None:
    """As a failover to a replica that lags does."""
    del copies[95:100]


@pytest.mark.parametrize(
    "mutant",
    [
        lose,
        lose_the_last,
        lose_one_and_double_another,
        double,
        swap_the_tenant,
        exchange_two_contents,
        carry_out_what_was_refused,
    ],
)
@pytest.mark.parametrize("seed", range(25))
def test_every_mutant_is_caught(mutant: Callable[[Copies, random.Random], None], seed: int) -> None:
    copies = faithful()
    mutant(copies, random.Random(seed))
    assert judged(copies).verdict is Verdict.FAIL


def test_lost_seconds_run_from_the_first_loss_to_the_last() -> None:
    copies = [copy for copy in faithful() if copy[0] not in ("id-40", "id-47")]
    assert judged(copies).figures["lost_s"] == pytest.approx(7.0)
    assert judged(copies).figures["lost"] == 2


def test_a_target_that_cannot_be_asked_leaves_it_unknown() -> None:
    assert judged([], "the database did not answer").verdict is Verdict.UNKNOWN


def test_content_is_not_compared_when_the_target_does_not_tell() -> None:
    assert judged([(identity, None) for identity, _ in faithful()]).verdict is Verdict.PASS


# whatever the log and whatever is stored, it says what dictionaries of all of it would

IDS, CONTENTS = "abcde", ("", "t sku 1", "t sku 2", "é")
ENDINGS = st.fixed_dictionaries({
    "ok": st.booleans(),
    "status": st.sampled_from([0, 201, 409, 422, 503]),
    "error": st.sampled_from(["", "connection refused", "deadline"]),
    "sent": st.sampled_from([0.0, None]),
    "ended": st.integers(0, 9).map(float),
})  # fmt: skip
ATTEMPTS = st.lists(
    st.tuples(
        st.none()
        | st.builds(
            lambda *words: " ".join(filter(None, words)), st.sampled_from(IDS), st.sampled_from(CONTENTS)
        ),
        ENDINGS,
    ),
    max_size=14,
)
STORED = st.lists(
    st.tuples(
        st.sampled_from([*IDS, "strange", "\ud800", "a t"]),
        st.none() | st.sampled_from([*CONTENTS, "\udfff"]),
    ),
    max_size=12,
)
SAID = (
    ("lost", "lost within {:.3f} s"),
    ("doubled", "stored more than once"),
    ("altered", "stored with other content"),
    ("refused_yet_there", "refused and stored all the same"),
)


def read_by_dictionaries(log: RequestLog, copies: Copies) -> tuple[dict[str, float], dict[str, str]]:
    """The figures, and the first of each kind of wrong."""
    ends: dict[str, dict[str, str]] = {"acknowledged": {}, "indeterminate": {}, "refused": {}}
    at_s: dict[str, float] = {}
    for index, key in enumerate(list(log.keys or ())):
        if key is None:
            continue
        identity, _, content = key.partition(" ")
        client_error = 400 <= log.status[index] < 500 and log.status[index] not in (408, 409, 425, 429)
        never = log.sent[index] != log.sent[index] or log.error.texts()[index] == "connection refused"
        end = "acknowledged" if log.ok[index] else "refused" if client_error or never else "indeterminate"
        ends[end][identity] = content
        if end == "acknowledged":
            at_s[identity] = float(log.ended[index])
    acknowledged, indeterminate, refused = ends.values()
    indeterminate = {key: value for key, value in indeterminate.items() if key not in acknowledged}
    refused = {key: value for key, value in refused.items() if key not in acknowledged | indeterminate}
    expected = refused | indeterminate | acknowledged
    there = Counter(identity for identity, _ in copies)
    wrong = {
        "lost": [each for each in acknowledged if not there[each]],
        "doubled": [each for each, count in there.items() if count > 1],
        "altered": [
            each for each, said in copies if said is not None and expected.get(each, "") not in ("", said)
        ],
        "refused_yet_there": [each for each in refused if there[each]],
    }
    lost_s = [at_s[each] for each in wrong["lost"]] or [0.0]
    figures = {
        "acknowledged": len(acknowledged),
        "lost_s": max(lost_s) - min(lost_s),
        "refused": len(refused),
        "indeterminate": len(indeterminate),
        "indeterminate_there": sum(1 for each in indeterminate if there[each]),
        **{what: len(found) for what, found in wrong.items()},
    }
    return figures, {what: found[0] for what, found in wrong.items() if found}


@given(ATTEMPTS, STORED)
def test_it_says_what_dictionaries_would(
    attempts: list[tuple[str | None, dict[str, object]]], copies: Copies
) -> None:
    log = log_of(
        [{**row(at, ok=True, status=0), **ending, "key": key} for at, (key, ending) in enumerate(attempts)]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_writes, "_PART", 3)
        result = judged(copies, log=log)
    figures, firsts = read_by_dictionaries(log, copies)
    if not figures["acknowledged"]:
        assert (result.verdict, result.figures) == (Verdict.UNKNOWN, {})
        return
    assert result.figures == figures
    assert result.verdict is (Verdict.FAIL if firsts else Verdict.PASS)
    told = [
        f"{figures[what]:,} {words.format(figures['lost_s'])} (first: {firsts[what]})"
        for what, words in SAID
        if what in firsts
    ]
    assert result.detail.endswith(": " + ", ".join(told) if told else "of them stored")
