"""How the load generator is joined to Locust."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from seatrial.load import hooks
from seatrial.load.options import OPTIONS
from seatrial.model.problems import BadInput


@pytest.fixture
def parser() -> LocustArgumentParser:
    made = LocustArgumentParser()
    hooks._add_options(made)
    return made


def test_every_option_has_its_default_and_its_place_in_the_start_form(parser: LocustArgumentParser) -> None:
    given = vars(parser.parse_args([]))
    assert {option.name: given[option.name] for option in OPTIONS} == {
        option.name: option.default for option in OPTIONS
    }
    shown = set(parser.args_included_in_web_ui)
    assert {option.name for option in OPTIONS if option.help} <= shown
    assert not {option.name for option in OPTIONS if not option.help} & shown


def test_an_option_is_text_without_the_spaces_around_it(parser: LocustArgumentParser) -> None:
    assert parser.parse_args(["--rate", " 500/s "]).rate == "500/s"


def test_a_wrong_option_is_one_line(parser: LocustArgumentParser, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--deadline", "soon"])
    assert ended.value.code == BadInput.exit_code
    assert capsys.readouterr().err == (
        "locust: --deadline: 'soon' is not a duration; write it like 250ms, 5s, 1m30s or 2h\n"
    )


def test_a_session_follows_each_test_of_an_environment() -> None:
    environment = Environment(host="http://shop")
    before = len(environment.events.test_start._handlers)
    hooks._follow("", environment)
    followed: Any = environment.events
    assert len(followed.test_start._handlers) == before + 1
    for event in (followed.test_stopping, followed.test_stop, followed.quit):
        assert event._handlers[-1].__self__ is followed.test_start._handlers[-1].__self__


def test_the_host_that_a_conductor_gives_is_connected_to_and_the_other_shown() -> None:
    environment = Environment(host="http://shop/${TOKEN}", parsed_options=SimpleNamespace(host="http://shop"))
    hooks._follow("http://shop/secret", environment)
    assert environment.host == vars(environment.parsed_options)["host"] == "http://shop/secret"
    session: Any = environment.events.test_start._handlers[-1]
    assert session.__self__._address == "http://shop/${TOKEN}"
