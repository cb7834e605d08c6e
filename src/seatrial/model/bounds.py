"""An interval of time that holds what nobody can measure exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator

# JSON has no infinity: it is written as null (see `plain`) and read back as the field means.
Unbounded = Annotated[float, BeforeValidator(lambda value: math.inf if value is None else value)]


@dataclass(frozen=True, slots=True)
class Bounds:
    """An interval that holds the true value, in seconds."""

    lower_s: float
    upper_s: Unbounded
