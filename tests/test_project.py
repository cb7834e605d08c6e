"""What stands beside the code is so: contributing, licence, changelog, lock."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:src|tests|\.ci)/[^`]*)`", CONTRIBUTING))))
def test_every_file_that_it_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(src/[^`]*\.py)`", CONTRIBUTING))))
def test_every_recipe_is_a_docstring(path: str) -> None:
    assert (ROOT / path).read_text().startswith('"""')


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"^\$ make (\w+)|`make (\w+)`", CONTRIBUTING, flags=re.MULTILINE)))
)
def test_every_target_of_make_is_one(target: tuple[str, str]) -> None:
    assert re.search(rf"^{''.join(target)}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def test_the_licence_is_the_one_that_is_named() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_changelog_has_a_place_for_what_comes() -> None:
    headings = re.findall(r"^## (.*)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert headings[0] == "[Unreleased]"


def test_a_lock_names_no_registry_and_is_whole_and_the_demo_s_is_a_part() -> None:
    whole, demo = ((ROOT / name).read_text() for name in ("requirements.lock", ".ci/demo.lock"))
    assert _pinned(demo) < _pinned(whole)


def _pinned(lock: str) -> set[str]:
    assert "://" not in lock
    pinned = re.findall(r"^([a-z0-9][a-z0-9.-]*==[^ ;]+)[^\\]*\\\n +--hash=sha256:", lock, flags=re.MULTILINE)
    assert len(pinned) == len(re.findall("^[a-z0-9]", lock, flags=re.MULTILINE))
    assert not {"ipython", "jedi", "matplotlib-inline", "prompt-toolkit"} & {
        one.split("==")[0] for one in pinned
    }
    return set(pinned)


def test_the_readme_can_be_read_in_one_sitting() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= 300
