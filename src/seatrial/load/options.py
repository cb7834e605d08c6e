"""The load's options, as texts on Locust's command line and in its start form.

Every option is text until `LoadOptions.parse` reads it: Locust hands options around as JSON, fills its form
with them and sends them to workers. Each is checked where it enters, so that a wrong one is a single clear
line and never a traceback.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast, get_args

from seatrial.extras import HTTP2
from seatrial.load.offer import Offer
from seatrial.model.allow import wrong_with
from seatrial.model.arrivals import RateStep, Spacing
from seatrial.model.clients import Connections, Http, Select
from seatrial.model.data import Order
from seatrial.model.offeredrate import REQUESTS, Counted, split_counted
from seatrial.model.quantities import Duration, Rate
from seatrial.model.shape import starts_in_order
from seatrial.model.workers import OnLost, Rows

_DEFAULT_RATE = "60/min"
RAMP = ".."


def parse_shape(text: str) -> tuple[RateStep, ...]:
    """A rate (`10000/min`) or a shape of rates (`0s=1000/min,20s=10000/min`). Raises ValueError.

    `5s=10/s..40/s,9s=40/s` is a ramp between the two: it ends where the next step begins.
    """
    steps = tuple(_step(part) for part in text.split(","))
    if not starts_in_order([step.at_s for step in steps]):
        raise ValueError(f"'{text}': a shape starts at 0s and its steps follow one another in time")
    if steps[-1].to is not None:
        raise ValueError(f"'{text}': a ramp ends where the next step begins, and there is none")
    if not any(step.peak_per_s for step in steps):
        raise ValueError(f"'{text}' offers nothing, and a load of nothing measures nothing")
    return steps


@dataclass(frozen=True, slots=True)
class OfferedShape:
    """A shape of rates, and what they count."""

    steps: tuple[RateStep, ...]
    counts: Counted = "arrivals"

    @classmethod
    def parse(cls, text: str) -> Self:
        """A shape of arrivals, or one of requests with `requests:` before it. Raises ValueError."""
        counts, rest = split_counted(text)
        shape = cls(parse_shape(rest), counts)
        if counts == "requests" and not shape.steps[0].rate.count:
            raise ValueError(f"'{text}': a shape of requests begins with some, for the warm-up to learn from")
        return shape

    @property
    def peak_per_s(self) -> float:
        """The highest rate that is offered."""
        return max(step.peak_per_s for step in self.steps)

    def __str__(self) -> str:
        ends = (f"{RAMP}{step.to}" if step.to else "" for step in self.steps)
        steps = ",".join(
            f"{Duration(step.at_s)}={step.rate}{end}" for step, end in zip(self.steps, ends, strict=True)
        )
        return f"{REQUESTS if self.counts == 'requests' else ''}{steps}"


def _rate(text: str) -> OfferedShape:
    return OfferedShape.parse(text or _DEFAULT_RATE)


def _step(text: str) -> RateStep:
    at, timed, rate = text.rpartition("=")
    first, ramped, last = rate.partition(RAMP)
    return RateStep(
        Duration.parse(at).seconds if timed else 0.0, Rate.parse(first), Rate.parse(last) if ramped else None
    )


def _spacing(text: str) -> Spacing:
    if text not in ("even", "poisson"):
        raise ValueError(f"'{text}' is neither even nor poisson")
    return cast("Spacing", text)


def _seconds(text: str) -> float:
    return Duration.parse(text).seconds


def _some_seconds(text: str) -> float:
    seconds = _seconds(text)
    if seconds <= 0:
        raise ValueError(f"'{text}' must be longer than 0s")
    return seconds


def _endless(text: str) -> float:
    return _some_seconds(text) if text else math.inf


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"'{text}' is not a whole number")
    return int(text)


def _some(text: str) -> int:
    number = _whole(text)
    if number == 0:
        raise ValueError("0 would let nothing be sent")
    return number


def _parquet(text: str) -> Path | None:
    if text and not text.endswith(".parquet"):
        raise ValueError(f"'{text}' does not end in .parquet")
    return Path(text).absolute() if text else None


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(part.strip() for part in text.split(",") if part.strip())
    for host in hosts:
        if wrong := wrong_with(host):
            raise ValueError(wrong)
    return hosts


def _one_of(words: Sequence[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"'{text}' is not one of {', '.join(words)}")
        return text

    return read


def _file(text: str) -> Path | None:
    if text and not Path(text).is_file():
        raise ValueError(f"there is no file {text} here ({Path.cwd()})")
    return Path(text).absolute() if text else None


def _columns(text: str) -> tuple[str, ...]:
    """Names with commas between them; one with a comma in it stands in quotes, as in the file."""
    try:
        return tuple(next(csv.reader([text], strict=True))) if text else ()
    except csv.Error as error:
        raise ValueError(f"'{text}' is no list of columns: {error}") from error


def written(columns: Sequence[str]) -> str:
    """What `--data-secret` is given."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(columns)
    return line.getvalue() if columns else ""


def _folder(text: str) -> Path | None:
    return Path(text).absolute() if text else None


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its flag, its default text, how it is read, and its help (None: not for people)."""

    name: str
    default: str
    read: Callable[[str], Any]
    help: str | None

    @property
    def flag(self) -> str:
        """As it stands on the command line."""
        return "--" + self.name.replace("_", "-")

    def check(self, text: str) -> str:
        """`text` itself. Raises ValueError with a line for people when it cannot be read."""
        try:
            self.read(text.strip())
        except ValueError as error:
            raise ValueError(f"{self.flag}: {error}") from error
        return text.strip()


OPTIONS = (
    Option(
        "rate",
        "",
        _rate,
        "Drive all users open-model, by arrivals: 10000/min, 500/s, or a shape 0s=1000/min,20s=10000/min, "
        "with ramps 20s=1000/min..10000/min,50s=10000/min; "
        "requests:10000/min counts requests, of which an arrival makes as many as the warm-up shows "
        f"(without it only users of seatrial's own classes, at {_DEFAULT_RATE})",
    ),
    Option("arrivals", "even", _spacing, "Spacing of arrivals: even or poisson"),
    Option("recorded", "", _file, None),
    Option("seed", "0", _whole, "Seed of Poisson arrivals and of the choice of tasks"),
    Option("deadline", "2s", _some_seconds, "An answer later than this after its request was due is none"),
    Option("warmup", "0s", _seconds, "Offer the first rate for this long before time zero"),
    Option("duration", "", _endless, "End the test by itself after this long from time zero"),
    Option("max_in_flight", "10000", _some, "Arrivals under way at once; more are dropped, and counted"),
    Option("request_log", "", _parquet, "Write every request to this .parquet file"),
    Option(
        "http",
        "1.1",
        _one_of(get_args(Http)),
        "What the clients speak: HTTP 1.1, or 2 (by prior knowledge, or by ALPN where the host is https)",
    ),
    Option(
        "connections",
        "shared",
        _one_of(get_args(Connections)),
        "Whose connections are: shared by all users, kept per-user, or new for each arrival",
    ),
    Option(
        "dns_select",
        "first",
        _one_of(get_args(Select)),
        "Which of a name's addresses a new connection goes to: first, round-robin or random",
    ),
    Option("dns_ttl", "1s", _seconds, "How long an answer of DNS is good for"),
    Option(
        "data", "", _file, "Give each arrival a row of this CSV file, which its scenario finds in self.row"
    ),
    Option(
        "data_order",
        "sequential",
        _one_of(get_args(Order)),
        "Which row: sequential (and from the start again), random (by the seed) or unique (each once)",
    ),
    Option(
        "data_secret", "", _columns, "Columns whose values are shown nowhere, console and logs included: a,b"
    ),
    Option("data_sha256", "", str, None),
    Option("allow", "", _hosts, "More hosts and networks that the test may touch, besides its host: a,b"),
    Option(
        "on_lost",
        "continue",
        _one_of(get_args(OnLost)),
        "What happens when a worker is lost: the others continue, redistribute its arrivals, or all abort",
    ),
    Option(
        "rows",
        "stream",
        _one_of(get_args(Rows)),
        "When rows come from workers on other machines: stream as they are made, keep them until the end",
    ),
    Option("spool", "", _folder, None),
)


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What a load generator is told."""

    rate: OfferedShape
    arrivals: Spacing
    recorded: Path | None  # instants of arrivals (.npy), in place of the rate's
    seed: int
    deadline: float  # seconds
    warmup: float  # seconds
    duration: float  # seconds, may be infinite
    max_in_flight: int
    request_log: Path | None
    http: Http
    connections: Connections
    dns_select: Select
    dns_ttl: float  # seconds
    data: Path | None
    data_order: Order
    data_secret: tuple[str, ...]
    data_sha256: str  # what the file must be; "" when nobody has looked at it beforehand
    allow: tuple[str, ...]
    on_lost: OnLost
    rows: Rows
    spool: Path | None  # keep the spools in this folder, and leave merging to whoever reads them

    @classmethod
    def parse(cls, texts: Mapping[str, Any]) -> Self:
        """From the options' texts; one that is missing or None has its default. Raises ValueError."""
        values = {}
        for option in OPTIONS:
            given = texts.get(option.name)
            values[option.name] = option.read(option.check(option.default if given is None else str(given)))
        options = cls(**values)
        if options.http == "2" and (missing := HTTP2.lacking()):
            raise ValueError(f"--http 2 needs {missing}")
        if options.rate.counts == "requests" and not options.warmup:
            raise ValueError(
                "--rate: how many requests an arrival makes is found out in the warm-up, and there is none; "
                "give it some time with --warmup 10s"
            )
        return options

    def offer(self) -> Offer:
        """The arrivals that the options describe."""
        shape = self.rate
        recorded = str(self.recorded or "")
        return Offer(
            shape.steps, self.arrivals, self.seed, self.warmup, self.duration, shape.counts, recorded
        )
