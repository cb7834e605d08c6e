"""What is wrong is gathered, and told once, in the order in which it stands in its files."""

import pytest

from seatrial.model.problems import BadInput, Location, Problem, Problems


def test_what_follows_a_problem_is_looked_at_as_well() -> None:
    problems = Problems()
    problems.tell()
    with problems.collected():
        raise BadInput("the first")
    with problems.collected():
        raise BadInput([Problem("the second"), Problem("the first")])
    assert len(problems) == 2
    with pytest.raises(BadInput) as caught:
        problems.tell()
    assert [str(problem) for problem in caught.value.problems] == ["the first", "the second"]


def test_other_errors_are_no_problems_of_a_file() -> None:
    with pytest.raises(KeyError), Problems().collected():
        raise KeyError("x")


def test_problems_are_told_file_by_file_in_the_order_of_each() -> None:
    problems = Problems()
    for file, line in (("b.yaml", 9), ("a.yaml", 2), ("b.yaml", 3)):
        problems.add(Problem("odd", Location(file, line, 1)))
    with pytest.raises(BadInput) as caught:
        problems.tell()
    assert [str(each) for each in caught.value.problems] == [
        "b.yaml:3:1: odd",
        "b.yaml:9:1: odd",
        "a.yaml:2:1: odd",
    ]


def test_a_problem_within_a_part_is_one_of_the_whole() -> None:
    inner = Problem("odd", path=("with", "to"), key=True)
    assert str(inner.under(("timeline", 1))) == "timeline[1].with.to: odd"
    assert inner.under(("timeline", 1)).key
