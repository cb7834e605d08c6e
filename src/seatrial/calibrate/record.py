"""What a calibration found, as it is kept for the reports."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from seatrial.calibrate.plan import Kind
from seatrial.home import private, private_directory
from seatrial.model.problems import BadInput, Location, Problem
from seatrial.model.result import GeneratorAudit, plain

VERSION = 1
MARK_INTERVALS = (
    3.0  # two edges, known to one arrival interval each, and the time that a request is under way
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One planted outage and what was measured of it; all lengths in seconds."""

    kind: Kind
    at_s: float  # on the request log's clock
    truth_s: float
    uncertainty_s: float  # of the truth itself
    lower_s: float
    upper_s: float
    point_s: float  # completion gap less one arrival interval
    bad: int  # bad arrivals that were measured
    failed: int | None  # requests that the server failed, where it saw them all
    deadline_effect_s: float  # width that is due to the deadline, by definition

    @property
    def covered(self) -> bool:
        """Whether the truth lies within the bounds, and no bad arrival was missed or made up."""
        return self.lower_s <= self.truth_s <= self.upper_s and self.failed in (None, self.bad)

    @property
    def excess_s(self) -> float:
        """Width of the bounds without what the deadline accounts for."""
        return self.upper_s - self.lower_s - self.deadline_effect_s


@dataclass(frozen=True, slots=True)
class KindScore:
    """How well one kind of outage was measured."""

    kind: str
    planted: int
    covered: int
    shortest_s: float
    longest_s: float
    excess_p50_intervals: float  # width of the bounds without deadline effects, in arrival intervals
    excess_max_intervals: float
    narrow: int  # outages whose width beyond deadline effects is at most `MARK_INTERVALS`
    deadline_effect: str
    error_p05_ms: float | None  # of the point estimate; None: too few were planted to tell
    error_p50_ms: float | None
    error_p95_ms: float | None
    error_least_ms: float | None = None  # None: written by an older version
    error_most_ms: float | None = None

    def row(self) -> tuple[str, ...]:
        """For people: the kind, coverage, lengths, width, deadline effect, error of the point estimate."""
        return (
            self.kind,
            f"{self.covered} of {self.planted}",
            f"{self.shortest_s * 1000:.0f} ms to {self.longest_s:.2f} s",
            f"{self.excess_p50_intervals:.1f} intervals, {self.narrow} within {MARK_INTERVALS:g}",
            self.deadline_effect,
            " / ".join(map(_error, (self.error_least_ms, self.error_p50_ms, self.error_most_ms))) + " ms",
        )


def _error(error_ms: float | None) -> str:
    return "–" if error_ms is None else f"{error_ms:+.1f}"


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far the bounds can be trusted, on this machine and at this rate."""

    measured_at: str  # RFC 3339, UTC
    rate: str
    interval_s: float
    deadline_s: float
    settle_s: float
    seed: int
    planted: int
    covered: int
    kinds: tuple[KindScore, ...]
    control_s: float  # how long the load ran without any fault
    control_outages: int  # outages reported in that time; any is a defect
    control_upper_s: float  # upper bound of downtime in it
    unexplained: int  # outages reported where none was planted, over the whole run
    generator: GeneratorAudit
    doubt: str  # why the load generator cannot be believed, or ""
    machine: dict[str, str] = field(default_factory=dict)  # where it was made; empty: an older version
    versions: dict[str, str] = field(default_factory=dict)  # with what

    @property
    def coverage(self) -> float:
        """Share of planted outages whose truth lies within the bounds."""
        return self.covered / self.planted if self.planted else 0.0

    def to_json(self) -> str:
        """One JSON object; `from_json` reads it."""
        return json.dumps({"version": VERSION, **plain(self), "coverage": self.coverage}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """What `to_json` wrote. Raises ValueError for anything else."""
        fields = json.loads(text)
        if not isinstance(fields, dict) or fields.pop("version", None) != VERSION:
            raise ValueError(f"not a calibration of version {VERSION}")
        fields.pop("coverage", None)
        try:
            fields["kinds"] = tuple(KindScore(**kind) for kind in fields["kinds"])
            fields["generator"] = GeneratorAudit(**fields["generator"])
            return cls(**fields)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a calibration: {error}") from error

    def save(self, path: Path) -> None:
        """Put it in place of an earlier one, whole or not at all."""
        private_directory(path.parent)
        unfinished = path.with_name(path.name + ".part")
        with open(unfinished, "w", opener=private) as file:
            file.write(self.to_json())
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> Calibration | None:
        """The calibration in `path`, None without such a file. Raises BadInput for a damaged one."""
        try:
            return cls.from_json(path.read_text())
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            message = f"{error}; run `seatrial calibrate` again"
            raise BadInput(Problem(message, Location(str(path)))) from error

    def rows(self) -> list[tuple[str, ...]]:
        """A table for people: a header, one row a kind, and the sum."""
        header = ("outage", "in bounds", "lengths", "width beyond deadline effects", "deadline effect",
                  "point error least / median / most")  # fmt: skip
        total = ("all", f"{self.covered} of {self.planted}", "", "", "", "")
        return [header, *(kind.row() for kind in self.kinds), total]


def trials_json(trials: tuple[Trial, ...]) -> str:
    """Every single outage, one JSON object a line, for looking into."""
    return "".join(json.dumps({**asdict(trial), "covered": trial.covered}) + "\n" for trial in trials)
