"""An incremental check says what a full one says, and evaluates only what it must."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from tests.support.policy_edits import QUIET_NS, Project, differences, killed

from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.verdict import Verdict
from seatrial.policy import Report, Request, check, judging, memory

POLICY = 'package main\ndeny contains msg if { input.kind == "A"; msg := "A is denied" }\nwarn contains "B" if input.kind == "B"\n'
OK, DENIED, WARNED = "kind: C\n", "kind: A\n", "kind: B\n"


class Tree:
    def __init__(self, place: Path) -> None:
        self.place = place
        self.write("policy/p.rego", POLICY)

    def write(self, name: str, text: str) -> None:
        (self.place / name).parent.mkdir(parents=True, exist_ok=True)
        (self.place / name).write_text(text)

    def git(self, *arguments: str, where: str = "in") -> None:
        settings = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always")
        subprocess.run(
            ["git", *settings, *arguments],
            cwd=self.place / where,
            check=True,
            capture_output=True,
            timeout=30,
        )

    def check(self, **other: object) -> Report:
        request = Request(
            (str(self.place / "in"),),
            (self.place / "policy",),
            memory=self.place / "m.sqlite",
            quiet_ns=QUIET_NS,
        )
        return check(replace(request, **other))  # type: ignore[arg-type]

    def told(self, report: Report) -> dict[str, list[str]]:
        below = self.place / "in"
        return {
            os.path.relpath(path, below): [each.message for each in told.findings]
            for path, told in report.told.items()
        }


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    found = Tree(tmp_path)
    for name, text in (("a", OK), ("b", DENIED), ("c", WARNED)):
        found.write(f"in/{name}.yaml", text)
    return found


def test_the_second_check_evaluates_nothing_and_says_the_same(tree: Tree) -> None:
    first, second = tree.check(), tree.check()
    assert (first.inputs, first.evaluated, second.evaluated) == (3, 3, 0)
    assert first.told == second.told
    assert tree.told(second) == {"b.yaml": ["A is denied"], "c.yaml": ["B"]}
    assert second.verdict is Verdict.FAIL


def test_only_what_changed_is_evaluated(tree: Tree) -> None:
    tree.check()
    tree.write("in/b.yaml", WARNED + "# now\n")
    tree.write("in/new.yaml", DENIED + "# new\n")
    (tree.place / "in/c.yaml").unlink()
    (tree.place / "in/a.yaml").rename(tree.place / "in/z.yaml")
    found = tree.check()
    assert (found.inputs, found.evaluated) == (3, 2)
    assert tree.told(found) == {"b.yaml": ["B"], "new.yaml": ["A is denied"]}


def test_files_that_were_left_alone_are_not_even_read(tmp_path: Path) -> None:
    project = Project(tmp_path / "p", Random(1))
    project.begin()
    request = replace(project.request(), anew=False, memory=tmp_path / "m.sqlite")
    project.rest()
    check(request)
    again = check(request)
    assert (again.read, again.evaluated) == (0, 0)


@pytest.mark.parametrize("what", ["policy/p.rego", "data/d.yaml"])
def test_another_policy_or_other_data_evaluates_everything(tree: Tree, what: str) -> None:
    tree.write("data/d.yaml", "x: 1\n")
    data = (tree.place / "data",)
    tree.check(data=data)
    (tree.place / what).write_text(
        (tree.place / what).read_text() + "# y\n" if what.endswith("rego") else "x: 2\n"
    )
    assert tree.check(data=data).evaluated == 3
    assert tree.check(data=data).evaluated == 0


def test_a_rule_that_asks_for_the_time_is_never_remembered(tree: Tree) -> None:
    tree.write(
        "policy/p.rego", POLICY + 'warn contains sprintf("%d", [time.now_ns()]) if input.kind == "C"\n'
    )
    assert tree.check().told != tree.check().told


def test_a_rule_that_asks_for_the_name_is_asked_again_of_a_renamed_file(tree: Tree) -> None:
    tree.write("policy/p.rego", "package main\ndeny contains data.conftest.file.name if true\n")
    tree.check()
    (tree.place / "in/a.yaml").rename(tree.place / "in/z.yaml")
    assert tree.told(tree.check()) == {"b.yaml": ["b.yaml"], "c.yaml": ["c.yaml"], "z.yaml": ["z.yaml"]}


def test_a_broken_file_is_told_and_the_others_are_judged(tree: Tree) -> None:
    tree.write("in/a.yaml", "a: [\n")
    for found in (tree.check(), tree.check()):
        ((path, broken),) = found.broken
        assert (Path(path).name, broken.line, broken.column) == ("a.yaml", 2, 1)
        assert found.exit_code() == 1
    tree.write("in/b.yaml", OK)
    assert (tree.check().verdict, tree.check().exit_code()) == (Verdict.UNKNOWN, 64)


def test_an_error_of_a_policy_is_never_a_pass(tree: Tree) -> None:
    tree.write("policy/p.rego", 'package main\ndeny contains "x" if to_number(input.kind) > 3\n')
    found = tree.check()
    assert found.verdict is Verdict.UNKNOWN
    assert "a policy cannot judge it" in found.broken[0][1].why
    assert "p.rego:2:" in found.broken[0][1].why


def test_combined_rules_are_asked_again_when_any_file_changed(tree: Tree) -> None:
    tree.write(
        "policy/p.rego",
        'package main\ndeny contains {"msg": "no C", "path": input[i].path} if {\n'
        '  some i; input[i].contents.kind == "A"; count([1 | input[_].contents.kind == "C"]) == 0 }\n',
    )
    assert tree.check(combine=True).verdict is Verdict.PASS
    assert tree.check(combine=True).evaluated == 0
    tree.write("in/a.yaml", WARNED)
    found = tree.check(combine=True)
    assert tree.told(found) == {"b.yaml": ["no C"]}


def test_a_memory_that_is_damaged_is_made_anew(tree: Tree) -> None:
    before = tree.check()
    (tree.place / "m.sqlite").write_bytes(b"no database" * 500)
    after = tree.check()
    assert (after.told, after.evaluated) == (before.told, 3)
    assert tree.check().evaluated == 0


def test_a_remembered_result_that_is_none_is_found_again(tree: Tree) -> None:
    before = tree.check()
    with sqlite3.connect(tree.place / "m.sqlite") as database:
        database.execute("UPDATE results SET told = ?", (json.dumps({"findings": 3}),))
    database.close()
    after = tree.check()
    assert (after.told, after.evaluated) == (before.told, 3)


def test_the_memory_is_its_owners_alone(tree: Tree) -> None:
    tree.check()
    assert (tree.place / "m.sqlite").stat().st_mode & 0o777 == 0o600


# git


@pytest.fixture
def repository(tree: Tree) -> Tree:
    tree.git("init", "-q", "-b", "main")
    tree.git("add", "-A")
    tree.git("commit", "-q", "-m", "first")
    return tree


def test_what_git_ignores_is_left_out_unless_it_is_asked_for(repository: Tree) -> None:
    repository.write("in/.gitignore", "build/\n")
    repository.write("in/build/x.yaml", DENIED)
    repository.write("in/untracked.yaml", DENIED)
    assert set(repository.told(repository.check())) == {"b.yaml", "c.yaml", "untracked.yaml"}
    assert set(repository.told(repository.check(ignored=True))) == {
        "b.yaml",
        "build/x.yaml",
        "c.yaml",
        "untracked.yaml",
    }
    assert repository.told(repository.check(paths=(str(repository.place / "in/build/x.yaml"),)))


def test_in_a_fresh_clone_git_tells_what_need_not_be_read(repository: Tree) -> None:
    repository.check(changed_since="HEAD")
    repository.git("clone", "-q", "in", "clone", where=".")
    repository.write("clone/a.yaml", DENIED + "# other\n")
    paths = (str(repository.place / "clone"),)
    found = repository.check(paths=paths, changed_since="HEAD")
    assert (found.inputs, found.read, found.evaluated) == (3, 1, 1)
    assert found.told == repository.check(paths=paths, anew=True).told


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_git_is_not_believed_where_it_looks_away(repository: Tree, flag: str) -> None:
    repository.check(changed_since="HEAD")
    repository.git("update-index", flag, "a.yaml")
    repository.write("in/a.yaml", DENIED)
    assert "a.yaml" in repository.told(repository.check(changed_since="HEAD"))


def test_git_is_not_believed_where_it_rewrites_files(repository: Tree) -> None:
    repository.check(changed_since="HEAD")
    repository.write("in/.gitattributes", "*.yaml text eol=crlf\n")
    repository.git("clone", "-q", "in", "clone", where=".")
    repository.write("clone/.gitattributes", "*.yaml text eol=crlf\n")
    found = repository.check(paths=(str(repository.place / "clone"),), changed_since="HEAD")
    assert found.read == found.inputs


def test_a_submodule_is_judged_with_the_rest(repository: Tree) -> None:
    repository.write("sub/s.yaml", DENIED)
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "s")):
        repository.git(*command, where="sub")
    repository.git("submodule", "add", "-q", str(repository.place / "sub"), "vendor")
    repository.git("commit", "-q", "-am", "with it")
    assert repository.told(repository.check(changed_since="HEAD"))["vendor/s.yaml"] == ["A is denied"]
    repository.write("in/vendor/s.yaml", WARNED)
    assert repository.told(repository.check(changed_since="HEAD"))["vendor/s.yaml"] == ["B"]


def test_what_a_hook_is_told_of_its_repository_is_not_taken_for_others(
    repository: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git tells hooks GIT_DIR and GIT_INDEX_FILE; a repository inside has its own."""
    repository.write("in/inner/x.yaml", DENIED)
    repository.git("init", "-q", where="in/inner")
    repository.git("add", "-A", where="in/inner")
    monkeypatch.setenv("GIT_DIR", str(repository.place / "in/.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(repository.place / "in/.git/index"))
    found = repository.told(repository.check(changed_since="HEAD"))
    assert found == {"b.yaml": ["A is denied"], "c.yaml": ["B"], "inner/x.yaml": ["A is denied"]}


def test_a_memory_that_is_in_use_is_left_alone(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_PATIENCE_S", 0.05)
    before = tree.check()
    database = sqlite3.connect(tree.place / "m.sqlite", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    after = tree.check()
    database.execute("ROLLBACK")
    database.close()
    assert (after.told, after.evaluated) == (before.told, 3)
    assert tree.check().evaluated == 0


def test_a_shallow_clone_reads_everything_and_says_so(repository: Tree) -> None:
    repository.write("in/a.yaml", WARNED)
    repository.git("commit", "-q", "-am", "second")
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.place / 'in'}", "clone", where=".")
    paths = (str(repository.place / "clone"),)
    found = repository.check(paths=paths, changed_since="HEAD~1")
    assert "not in this shallow clone" in found.notes[0]
    assert found.read == found.inputs
    assert found.told == repository.check(paths=paths, anew=True).told


def test_a_revision_that_is_none_is_a_mistake(repository: Tree) -> None:
    with pytest.raises(BadInput, match="no such revision"):
        repository.check(changed_since="mian")


@pytest.mark.parametrize("seed", range(4))
def test_random_edits_never_tell_the_two_apart(tmp_path: Path, seed: int) -> None:
    wrong, checks, _ = differences(tmp_path / "p", seed, steps=4)
    assert not wrong, "\n".join(wrong)
    assert checks == 4


def test_several_processes_say_what_one_says(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_ALONE", 10)
    monkeypatch.setattr(judging, "_CHUNK", 7)
    for number in range(40):
        tree.write(f"in/n{number}.yaml", (OK, DENIED, WARNED, "a: [\n")[number % 4])
    alone, many = tree.check(anew=True), tree.check(anew=True, processes=2)
    assert alone.told == many.told
    assert (many.inputs, many.evaluated) == (43, 43)


def test_a_process_that_is_killed_is_told(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_ALONE", 1)
    monkeypatch.setattr(judging, "_judge_chunk", killed)
    with pytest.raises(Unavailable, match="ended from outside"):
        tree.check(anew=True, processes=2)


def test_a_name_that_is_no_text_is_judged_and_told_as_far_as_it_can_be_shown(tree: Tree) -> None:
    odd = os.fsdecode(os.fsencode(tree.place / "in") + b"/caf\xe9.yaml")
    Path(odd).write_text(DENIED)
    for _ in range(2):
        assert tree.told(tree.check())["caf\ufffd.yaml"] == ["A is denied"]
    combined = tree.check(combine=True)
    assert combined.verdict is Verdict.UNKNOWN


def test_what_is_no_regular_file_is_refused_instead_of_waited_for(tree: Tree) -> None:
    pipe = tree.place / "in/pipe.yaml"
    os.mkfifo(pipe)
    with pytest.raises(BadInput, match="is no regular file"):
        tree.check(paths=(str(pipe),))
    assert tree.check().inputs == 3
