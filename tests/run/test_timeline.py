"""Steps fire in order at their instants, actions on one role are undone to where the first began."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from seatrial.actions.action import Action
from seatrial.discovery import Registry
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role
from seatrial.model.strict import Strict
from seatrial.model.undo import UndoOutcome
from seatrial.run.clock import RunClock
from seatrial.run.evidence import RunJournal
from seatrial.run.plan import PlannedStep
from seatrial.run.timeline import Timeline, moments
from seatrial.undo.clock import SystemClock
from seatrial.undo.journal import Journal, What
from seatrial.undo.protocol import Declared, Undo
from seatrial.undo.session import FaultSession

ROLE = Role("edge", "file", {}, ("127.0.0.1",), ".")


class Content(Strict):
    before: str


def target_file() -> Path:
    return Path("target.txt")


class Write(Action):
    """Writes a word into a file; the undo writes what was there."""

    name: ClassVar[str] = "test.write"
    drivers: ClassVar[frozenset[str]] = frozenset({"file"})
    word: str

    def look(self, role: Role) -> Undo:
        return self.noting(role, Content(before=target_file().read_text()), touches="file", by_hand="")

    def inject(self, undo: Undo) -> None:
        if self.word == "fail":
            raise Unavailable("no")
        target_file().write_text(self.word)

    def undo(self, undo: Undo) -> None:
        target_file().write_text(undo.noted(Content).before)


class Mark(Declared):
    """A fault: a mark in a file while it lasts."""

    name: ClassVar[str] = "test.mark"
    drivers: ClassVar[frozenset[str]] = frozenset({"file"})

    def prepare(self, role: Role) -> Undo:
        return self.noting(role, Content(before=""), touches="mark", by_hand="rm mark")

    def inject(self, undo: Undo) -> None:
        Path("mark").touch()

    def undo(self, undo: Undo) -> None:
        Path("mark").unlink(missing_ok=True)

    def gone(self, undo: Undo) -> bool:
        return not Path("mark").exists()

    def healthy(self, role: Role) -> bool:
        if Path("mark").exists():
            raise Unavailable("there is a mark")
        return True


class Stubborn(Mark):
    """A mark that misbehaves at the method that is named, in the way that is named."""

    name: ClassVar[str] = "test.stubborn"
    holds: ClassVar[threading.Event] = threading.Event()
    looked: ClassVar[threading.Event] = threading.Event()

    at: str
    how: str = "raises"
    times: ClassVar[list[str]] = []
    at_most: int = 99

    def _may(self, method: str) -> None:
        if method != self.at or self.times.count(method) >= self.at_most:
            return
        self.times.append(method)
        match self.how:
            case "raises":
                raise KeyError("nope")
            case "exits":
                raise SystemExit(3)
            case "holds":
                self.looked.set()
                assert self.holds.wait(30)

    def prepare(self, role: Role) -> Undo:
        self._may("prepare")
        return super().prepare(role)

    def inject(self, undo: Undo) -> None:
        self._may("inject")
        super().inject(undo)

    def undo(self, undo: Undo) -> None:
        self._may("undo")
        super().undo(undo)

    def gone(self, undo: Undo) -> bool:
        self._may("gone")
        return super().gone(undo)

    def healthy(self, role: Role) -> bool:
        self._may("healthy")
        return super().healthy(role)


class Shown(Mark):
    """A mark that an onlooker sees, at the look that is given, if there is one."""

    name: ClassVar[str] = "test.shown"
    looks: ClassVar[list[bool]] = []

    at_look: int = 1
    breaks: bool = False

    def effective(self, undo: Undo) -> bool:
        self.looks.append(Path("mark").exists())
        if self.breaks:
            raise OSError("blind")
        return len(self.looks) == self.at_look


@dataclass
class Story:
    """A timeline over a real session, without load."""

    home: Path
    failures: list[str] = field(default_factory=list)
    verify_within_s: float = 10.0

    def tell(
        self,
        steps: list[PlannedStep],
        end_s: float = 1.0,
        meanwhile: Callable[[Timeline], None] = lambda _: None,
    ) -> Timeline:
        journal = RunJournal(self.home / "journal.jsonl")
        clock = RunClock.start()
        with FaultSession(
            self.home, "t", experiment="x", run="r", verify_within_s=self.verify_within_s
        ) as session:
            timeline = Timeline(
                steps, session, journal, clock, clock.now() + 0.1, end_s, self.failures.append
            )
            timeline.start()
            meanwhile(timeline)
            timeline.join(10)
            assert not timeline.is_alive()
        timeline.note_undos()
        journal.close()
        return timeline

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in (self.home / "journal.jsonl").read_text().splitlines()]


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.chdir(tmp_path)
    known = {each.name: each for each in (Write, Mark, Stubborn, Shown)}
    monkeypatch.setattr(Registry, "get", lambda _, name: known.get(name))
    Shown.looks.clear()
    Stubborn.times.clear()
    Stubborn.holds.clear()
    Stubborn.looked.clear()
    target_file().write_text("blue")
    return Story(tmp_path)


def step(name: str, at_s: float, fault: Declared, for_s: float | None = None) -> PlannedStep:
    return PlannedStep(name, at_s, for_s, fault, ROLE)  # type: ignore[arg-type]


def test_the_order_of_moments() -> None:
    mark = Mark()
    steps = [step("b", 2, mark, 3), step("a", 1, mark, 1), step("c", 5, mark)]
    assert [(moment.at_s, moment.step.name, moment.undoes) for moment in moments(steps)] == [
        (1, "a", False), (2, "a", True), (2, "b", False), (5, "b", True), (5, "c", False),
    ]  # fmt: skip


def test_steps_happen_and_everything_is_put_back(story: Story) -> None:
    timeline = story.tell([step("to green", 0.1, Write(word="green")), step("mark", 0.2, Mark(), 0.2)])
    to_green, mark = timeline.records
    assert to_green.injected_s is not None
    assert to_green.injected_s >= 0.1
    assert mark.undone_s is not None
    assert mark.undone_s >= 0.4
    assert not Path("mark").exists()
    assert target_file().read_text() == "blue"
    assert story.events() == ["step.prepared", "step.fired"] * 2 + ["step.undone", "step.verified"]
    assert (to_green.undo, mark.undo) == (UndoOutcome.UNVERIFIED, UndoOutcome.VERIFIED)
    assert mark.by_hand == "rm mark"
    assert story.failures == []


def test_actions_on_one_role_go_back_to_where_the_first_began(story: Story) -> None:
    words = ["green", "red", "blue"]
    seen: list[str] = []
    story.tell([step(word, 0.05 * number, Write(word=word)) for number, word in enumerate(words)])
    seen.append(target_file().read_text())
    assert seen == ["blue"]


def test_a_fault_before_an_action_on_its_role_is_not_where_the_action_began(story: Story) -> None:
    story.tell([step("mark", 0.05, Mark()), step("to green", 0.1, Write(word="green"))])
    assert story.failures == []
    assert target_file().read_text() == "blue"


def test_why_a_role_is_not_well_is_noted_before_it_is_mended(story: Story) -> None:
    def look_once_all_is_done(timeline: Timeline) -> None:
        timeline.join(10)
        timeline.look()

    steps = [
        step("over", 0.05, Mark(), 0.05),
        step("mark", 0.2, Mark()),
        step("to green", 0.25, Write(word="green")),
    ]
    timeline = story.tell(steps, meanwhile=look_once_all_is_done)
    assert [record.unwell for record in timeline.records] == ["", "there is a mark", ""]


def test_the_first_step_that_fails_ends_the_story(story: Story) -> None:
    timeline = story.tell([step("bad", 0.05, Write(word="fail")), step("late", 0.1, Mark())])
    bad, late = timeline.records
    assert "no" in bad.error
    assert late.injected_s is None
    assert len(story.failures) == 1
    assert target_file().read_text() == "blue"


def test_a_stopped_timeline_fires_nothing_more_and_a_fault_that_is_open_is_undone(story: Story) -> None:
    def stop_once_marked(timeline: Timeline) -> None:
        deadline = time.monotonic() + 10
        while not Path("mark").exists():
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
        timeline.stop()

    steps = [step("mark", 0.05, Mark(), 60), step("never", 30, Write(word="green"))]
    timeline = story.tell(steps, 90, stop_once_marked)
    mark, never = timeline.records
    assert mark.undone_s is not None
    assert never.injected_s is None
    assert not Path("mark").exists()


def test_the_first_instant_at_which_the_effect_shows_is_noted(story: Story) -> None:
    def wait_until_seen(timeline: Timeline) -> None:
        deadline = time.monotonic() + 10
        while "step.observed" not in story.events():
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)

    timeline = story.tell([step("mark", 0.05, Shown(at_look=3))], meanwhile=wait_until_seen)
    (mark,) = timeline.records
    assert mark.injected_s is not None
    assert mark.observed_s is not None
    assert mark.injected_s <= mark.observed_s
    assert Shown.looks == [True] * 3  # none before the injection, none once it was seen
    journal = Journal(story.home / "faults.sqlite", SystemClock())
    (session,) = journal.sessions()
    (entry,) = journal.entries(session.id)
    assert What.OBSERVED in journal.instants(entry.id)
    journal.close()


@pytest.mark.parametrize("blind", [Shown(at_look=0), Shown(breaks=True), Mark()])
def test_an_effect_that_nobody_sees_holds_nothing_up(story: Story, blind: Declared) -> None:
    steps = [step("mark", 0.05, blind, 0.2), step("to green", 0.1, Write(word="green"))]
    mark, to_green = story.tell(steps).records
    assert mark.observed_s is None
    assert "step.observed" not in story.events()
    assert mark.undone_s is not None
    assert to_green.injected_s is not None
    assert to_green.injected_s < mark.undone_s
    assert story.failures == []


@pytest.mark.parametrize("how", ["raises", "exits"])
@pytest.mark.parametrize("at", ["prepare", "inject", "undo", "gone", "healthy"])
def test_whatever_a_fault_raises_is_the_reason(story: Story, at: str, how: str) -> None:
    story.verify_within_s = 0.0
    (mark,) = story.tell([step("mark", 0.05, Stubborn(at=at, how=how), 0.1)]).records
    raised = "KeyError: 'nope'" if how == "raises" else "SystemExit: 3"
    cause = f"test.stubborn: {at} raised {raised} (test_timeline.py:"
    assert cause in mark.error
    (reason,) = story.failures
    assert cause in reason
    left = {"undo": UndoOutcome.FAILED, "gone": UndoOutcome.NOT_WELL, "healthy": UndoOutcome.NOT_WELL}
    assert mark.undo_outcome is left.get(at, UndoOutcome.NOT_INJECTED)


def test_an_undo_that_fails_at_the_end_is_left_behind(story: Story) -> None:
    """Without an end of its own a fault is undone with the session, where no thread of the timeline is."""
    (mark,) = story.tell([step("mark", 0.05, Stubborn(at="undo"))]).records
    assert (mark.undo, mark.verified, mark.undone_s) == (UndoOutcome.FAILED, False, None)
    assert mark.by_hand == "rm mark"
    assert mark.left_behind


def test_an_action_that_cannot_be_put_back_is_left_behind(story: Story) -> None:
    write = Write(word="green")

    def fail(_timeline: Timeline) -> None:
        _timeline.join(10)
        target_file().chmod(0o400)
        target_file().unlink()
        target_file().mkdir()

    (to_green,) = story.tell([step("to green", 0.05, write)], meanwhile=fail).records
    assert to_green.left_behind
    assert "IsADirectoryError" in to_green.error


def test_an_undo_that_works_at_the_second_try_is_no_longer_left_behind_and_its_failure_is_told(
    story: Story,
) -> None:
    (mark,) = story.tell([step("mark", 0.05, Stubborn(at="undo", at_most=1), 0.1)]).records
    assert mark.undo is UndoOutcome.VERIFIED
    assert "undo raised KeyError" in mark.error
    assert len(story.failures) == 1
    assert not Path("mark").exists()


def test_a_look_at_the_role_delays_no_later_step_and_moves_no_instant(story: Story) -> None:
    """The probe answers only once the next step has been fired: beside the timeline, or never."""

    def let_go_once_green(_timeline: Timeline) -> None:
        deadline = time.monotonic() + 20
        while target_file().read_text() != "green" or not Stubborn.looked.is_set():
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
        Stubborn.holds.set()

    elsewhere = Role("elsewhere", "file", {}, ("127.0.0.1",), ".")
    steps = [
        step("mark", 0.05, Stubborn(at="gone", how="holds"), 0.1),
        PlannedStep("to green", 0.3, None, Write(word="green"), elsewhere),
    ]
    timeline = story.tell(steps, meanwhile=let_go_once_green)
    mark, to_green = timeline.records
    assert mark.undo is UndoOutcome.VERIFIED
    assert mark.undone_s is not None
    assert to_green.before_s is not None
    assert mark.undone_s < to_green.before_s
    journal = Journal(story.home / "faults.sqlite", SystemClock())
    (session,) = journal.sessions()
    entry = journal.entries(session.id)[0]
    instants = journal.instants(entry.id)
    assert mark.undone_s + timeline.zero_mono_s == pytest.approx(instants[What.UNDONE].monotonic_ns / 1e9)
    assert instants[What.UNDONE].monotonic_ns < instants[What.VERIFIED].monotonic_ns
    journal.close()
    assert story.failures == []


def test_a_timeline_that_dies_of_a_defect_says_so(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(Timeline, "_look_for_effect", broken)
    timeline = story.tell([step("mark", 0.05, Mark())])
    assert story.failures == ["the timeline broke off at mark: MemoryError: no room"]
    assert not timeline.died
    assert "timeline.broke-off" in story.events()
    (mark,) = timeline.records
    assert mark.undo is UndoOutcome.VERIFIED


def test_a_timeline_that_cannot_even_say_so_is_found_dead(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: neither the journal nor the conductor's own can be written."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunJournal, "write", full)
    monkeypatch.setattr(story, "failures", SimpleNamespace(append=full))
    timeline = story.tell([step("mark", 0.05, Mark())])
    assert timeline.died
    assert not Path("mark").exists()
