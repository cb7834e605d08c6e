"""A command ends in good order, however it is asked, and once."""

from __future__ import annotations

import signal

import pytest
from tests.support.signals import dispositions, heeded

from seatrial.cli.interruption import end_if_asked, listening, shielded

ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.parametrize("number", ALL)
def test_every_way_of_asking_unwinds_a_command_once(number: signal.Signals) -> None:
    wound_up = []

    def command() -> None:
        try:
            signal.raise_signal(number)
        finally:
            for again in ALL:
                signal.raise_signal(again)
            wound_up.append(number)

    with heeded(*ALL):
        with listening(), pytest.raises(KeyboardInterrupt):
            command()
        assert wound_up == [number]
        assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.parametrize("number", ALL)
def test_what_is_shielded_comes_to_its_end_and_is_told(number: signal.Signals) -> None:
    with heeded(*ALL), listening():
        with shielded() as asked:
            assert not asked.is_set()
            signal.raise_signal(number)
            assert asked.is_set()
        with pytest.raises(KeyboardInterrupt):
            end_if_asked()


def test_nobody_has_asked_a_new_command() -> None:
    with heeded(*ALL):
        with listening(), shielded():
            signal.raise_signal(signal.SIGTERM)
        with listening(), shielded() as asked:
            assert not asked.is_set()
            end_if_asked()


def test_what_was_ignored_stays_ignored_but_for_a_supervisors_word() -> None:
    with dispositions(signal.SIG_IGN, *ALL), listening():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGHUP)
        end_if_asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
