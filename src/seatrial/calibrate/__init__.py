"""How far the measured bounds can be trusted: outages of known length, measured like any other."""

from seatrial.calibrate.record import Calibration, KindScore

__all__ = ["Calibration", "KindScore"]
