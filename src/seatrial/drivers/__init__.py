"""How a target file binds its roles: one file a driver, with everything that may stand in such a binding."""

from seatrial.drivers.registry import find, lacking, names, problems_in

__all__ = ["find", "lacking", "names", "problems_in"]
