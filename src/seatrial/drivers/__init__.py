"""How a target file binds its roles: one file a driver, with everything that may stand in such a binding."""

from seatrial.drivers.registry import DRIVERS, find, lacking, modules_of, problems_in

__all__ = ["DRIVERS", "find", "lacking", "modules_of", "problems_in"]
