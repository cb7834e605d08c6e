"""Python processes for which packages are not installed, and all processes that these start.

The finder of modules is replaced before anything else runs (`sitecustomize`), so that neither an import nor a
look whether one would work finds them.
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import seatrial

_SOURCE = Path(seatrial.__file__).parents[1]
_HIDING = """
import sys
from importlib.machinery import PathFinder

class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {hidden!r} else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Hiding
"""


def without(
    packages: Iterable[str], place: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """`python ARGUMENTS` in `place`, with its state there, where `packages` are not installed."""
    (place / "sitecustomize.py").write_text(_HIDING.format(hidden=frozenset(packages)))
    paths = os.pathsep.join(map(str, (place, _SOURCE)))
    environment = os.environ | {"PYTHONPATH": paths, "SEATRIAL_HOME": str(place / "home")} | variables
    return subprocess.run(
        [sys.executable, *arguments], cwd=place, env=environment,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
