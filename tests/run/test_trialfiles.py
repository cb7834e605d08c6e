"""Which files a trial takes to where others start it, and which it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.model.problems import BadInput
from seatrial.run.trialfiles import TrialFiles, trial_files

EXPERIMENT = """\
experiment: x
load: {scenario: ../loadtests/shop.py, rate: 10/s, data: data/users.csv}
duration: 5s
objectives: {openslo: slo.yaml}
checks: [{program: {command: [bin/judge.sh, x]}}]
"""
FILES = {
    "chaos/x.yaml": EXPERIMENT,
    "chaos/slo.yaml": "",
    "chaos/t.yaml": "target: t\nbase_url: http://127.0.0.1:9\n",
    "chaos/bin/judge.sh": "#!/bin/sh\n",
    "loadtests/shop.py": "import basket.item\nimport json\n",
    "loadtests/basket/__init__.py": "",
    "loadtests/basket/item.py": "",
    "loadtests/basket/other.py": "",
    "data/users.csv": "name\na\n",
    "data/more/deep.json": "{}",
}


@pytest.fixture(autouse=True)
def _trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "work/chaos/bin/judge.sh").chmod(0o755)
    (tmp_path / "outside.csv").write_text("name\na\n")
    monkeypatch.chdir(tmp_path / "work")


def found(*also: str, experiment: str = "chaos/x.yaml") -> TrialFiles:
    return trial_files(experiment, "chaos/t.yaml", also, Path.cwd())


def test_what_is_named_and_what_is_imported_is_taken_with_its_place() -> None:
    trial = found()
    assert set(trial.files) == set(FILES) - {"loadtests/basket/other.py", "data/more/deep.json"}
    assert (trial.experiment, trial.target, trial.scenarios) == (
        "chaos/x.yaml",
        "chaos/t.yaml",
        ("loadtests/shop.py",),
    )
    assert trial.run == {"chaos/bin/judge.sh"}
    assert trial.size == sum(len(FILES[each]) for each in trial.files)


def test_what_a_scenario_opens_is_taken_when_it_is_said() -> None:
    assert "data/more/deep.json" in found("data").files
    assert "data/more/deep.json" in found("data/more/deep.json").files


def test_what_lies_outside_is_refused_with_the_way_out(tmp_path: Path) -> None:
    Path("chaos/x.yaml").write_text(EXPERIMENT.replace("data/users.csv", "../outside.csv"))
    with pytest.raises(
        BadInput, match=r"outside.csv: lies outside of .*work, whose files are brought; start from"
    ):
        found()
    Path("chaos/x.yaml").write_text(EXPERIMENT.replace("data/users.csv", "/srv/rows.csv"))
    trial = found()
    assert trial.in_image == ("/srv/rows.csv",)
    assert not any("rows" in each for each in trial.files)


def test_all_that_is_missing_is_told_at_once() -> None:
    Path("chaos/x.yaml").write_text(EXPERIMENT.replace("users.csv", "usres.csv"))
    with pytest.raises(BadInput) as told:
        found("nowhere")
    assert "usres.csv: no such file here" in str(told.value)
    assert "nowhere: no such file" in str(told.value)


@pytest.mark.parametrize("name", ["a=b.csv", "a,b.csv", "a\nb.csv"])
def test_a_name_that_kubectl_would_take_apart_is_refused(name: str) -> None:
    Path("data", name).write_text("")
    with pytest.raises(BadInput, match="has a character that kubectl takes apart; rename it"):
        found("data")
