"""Where the load generator is joined to Locust: its options, its start form, its tests.

init_command_line_parser ─► the load's options     init ─► LocustTests, which follows each test
"""

from __future__ import annotations

import argparse
import functools
import logging
import sys
from collections.abc import Callable
from typing import Any

from locust import events
from locust.env import Environment

from seatrial.load import machine, startform
from seatrial.load.locust_tests import LocustTests
from seatrial.load.options import OPTIONS, Option
from seatrial.load.refusal import tell_of_extras
from seatrial.load.secrecy import take_secrets
from seatrial.model.problems import BadInput

logger = logging.getLogger(__name__)


@functools.cache
def register() -> None:
    """Add the load's options to Locust's, and follow each of its tests. Once, whoever calls it first."""
    machine.die_with_parent()
    tell_of_extras()
    host = take_secrets()
    hooks: Any = events
    hooks.init_command_line_parser.add_listener(_add_options)
    hooks.init.add_listener(functools.partial(_follow, host))


def _add_options(parser: Any, **_: Any) -> None:
    group = parser.add_argument_group("Open-model load (seatrial)")
    for option in OPTIONS:
        action = group.add_argument(
            option.flag,
            type=_reader(option),
            default=option.default,
            metavar=f"<{option.name.replace('_', '-')}>",
            help=option.help or argparse.SUPPRESS,
            **({"env_var": f"LOCUST_{option.name.upper()}"} if option.help else {}),
        )
        action.include_in_web_ui = option.help is not None  # Locust's own mark, which groups do not know


def _reader(option: Option) -> Callable[[str], str]:
    def read(text: str) -> str:
        try:
            return option.check(text)
        except ValueError as error:
            sys.stderr.write(f"locust: {error}\n")
            raise SystemExit(BadInput.exit_code) from None

    return read


def _follow(host: str, environment: Environment, web_ui: Any = None, **_: Any) -> None:
    tests = LocustTests(environment, environment.host or "")
    if host:
        environment.host = host
        if environment.parsed_options is not None:
            environment.parsed_options.host = host
    options = environment.parsed_options
    if options is not None and getattr(options, "spool", None) and options.run_time:
        logger.warning(
            "run-time (of locust.conf or the environment) does not count: the experiment says when"
        )
        options.run_time = None
    if web_ui is not None:
        startform.guard(web_ui.app, environment)
    hooks: Any = environment.events
    hooks.test_start.add_listener(tests.start)
    hooks.test_stopping.add_listener(tests.stop_sending)
    hooks.test_stop.add_listener(tests.conclude)
    hooks.quit.add_listener(tests.wait)
