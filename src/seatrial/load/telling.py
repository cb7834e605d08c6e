"""Errors of a scenario's own code in the log: each kind once, with its place, and counted from then on."""

from __future__ import annotations

import logging

from seatrial.load import failure
from seatrial.load.feed import NoRow
from seatrial.load.not_offered import NotOffered
from seatrial.load.scenario_errors import ErrorTally

logger = logging.getLogger(__name__)


def tell(errors: ErrorTally, error: BaseException, during: str) -> None:
    """An arrival has failed, or a user's last words have."""
    if not errors.raised(error, during):
        return
    counted = {failure.COUNTED: True}
    if isinstance(error, NotOffered | NoRow):
        place = errors.place_of(error)
        logger.error("%s: %s (told once, and counted)", place, error, extra=counted)
    else:
        said = f"{during}: {type(error).__name__}"
        logger.error("%s (told once, and counted)", said, exc_info=error, extra=counted)


def tell_of_consequence(consequences: ErrorTally, error: BaseException, during: str) -> None:
    """A task that goes on with an answer that was none stumbles; the failure itself is on record."""
    if consequences.raised(error, during):
        said = f"{during}: {type(error).__name__}"
        logger.warning("%s after a request that failed (told once)", said, exc_info=error)
