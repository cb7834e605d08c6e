"""Files as data: the shapes that conftest gives them, and what is broken told with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.policy.readers import NotReadable, Part, as_json, parts_of, reader_of, yaml_text


def read(name: str, text: str) -> list[Any]:
    return [part.data for part in parts_of(reader_of(name), text.encode())]


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("k8s/deployment.yaml", "yaml"),
        ("a.YML", "yaml"),
        ("package.json", "json"),
        ("tsconfig.base.json", "jsonc"),
        (".vscode/settings.jsonc", "jsonc"),
        ("pyproject.toml", "toml"),
        ("main.tf", "hcl2"),
        ("Dockerfile", "dockerfile"),
        ("Dockerfile.debug", "dockerfile"),
        ("dev.Dockerfile", "dockerfile"),
        ("Containerfile", "dockerfile"),
        ("requirements-dev.txt", "requirements"),
        ("dockerfiles.py", ""),
        ("readers/dockerfile.py", ""),
        ("README.md", ""),
    ],
)
def test_a_name_asks_for_a_reader(name: str, reader: str) -> None:
    assert reader_of(name) == reader


def test_yaml_is_that_of_kubernetes() -> None:
    text = "on: [push]\na: 0777\nb: 1:30\nc: 2026-01-01\nd: yes\ne: 1e3\nf: 0o17\n1: t\ng: !Ref q\n"
    assert read("a.yaml", text) == [
        {
            "true": ["push"],
            "a": 511,
            "b": "1:30",
            "c": "2026-01-01",
            "d": True,
            "e": 1000.0,
            "f": 15,
            "1": "t",
            "g": "q",
        }
    ]


def test_documents_of_a_yaml_file_know_where_they_begin() -> None:
    assert parts_of("yaml", b"a: 1\n---\nb: 2\n---\n") == [Part({"a": 1}), Part({"b": 2}, 3), Part(None, 5)]
    assert parts_of("yaml", b"") == [Part(None)]


def test_merged_keys_stand_back_behind_a_mappings_own() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], c: 3}\n"
    assert read("a.yaml", text)[0]["z"] == {"a": 1, "b": 1, "c": 3}


def test_what_aliases_unfold_into_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "MOST_VALUES", 10_000)
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(NotReadable, match="too many values"):
        read("a.yaml", "\n".join(lines))


@pytest.mark.parametrize(
    ("name", "text", "why", "line", "column"),
    [
        ("a.yaml", "a: 1\na: 2", "the key 'a' stands twice", 2, 1),
        ("a.yaml", "a: [\n", "not valid YAML", 2, 1),
        ("a.yaml", "kind: {{ .Values.kind }}\n", "a key must be text", 1, 8),
        ("a.yaml", "x: .nan", "no number that JSON", 1, 4),
        ("a.yaml", "x: \x01", "not valid YAML", 1, 4),
        ("a.json", '{"a": 1\n "b": 2}', "not valid JSON: Expecting ','", 2, 2),
        ("a.json", '{"a": 1, "a": 2}', "the key 'a' stands twice", None, None),
        ("a.json", '{"a": NaN}', "NaN is no number", None, None),
        ("a.json", f'{{"a": {"9" * 5000}}}', "not valid JSON: Exceeds the limit", None, None),
        ("tsconfig.json", '{// c\n"a":,}', 'unexpected ","', 2, 5),
        ("p.toml", "a = \n", "not valid TOML: Invalid value", 1, 5),
        ("p.toml", "a = inf\n", "infinite", None, None),
        ("p.toml", "a = nan\n", "nan", None, None),
        ("p.toml", f"a = {'9' * 5000}\n", "not valid TOML: Exceeds the limit", None, None),
        ("m.tf", 'resource "a" {\n x = \n}', "not valid HCL", 2, 6),
        (
            "m.tf",
            'a "b" {\n x = 1\n y {\n }\n x = 2\n}\n',
            "the attribute 'x' stands twice in one body, in line 2",
            5,
            2,
        ),
        ("m.tf", "a = 1\na = 1\n", "the attribute 'a' stands twice", 2, 1),
        ("Dockerfile", "", "no instructions", 1, None),
        ("Dockerfile", "FROM a\nRUN <<EOF\nx", "unterminated heredoc", 1, None),
        ("requirements.txt", "flask\nfoo ==\n", "no requirement that pip understands", 2, 1),
    ],
)
def test_what_is_broken_is_told_with_its_place(
    name: str, text: str, why: str, line: int | None, column: int | None
) -> None:
    with pytest.raises(NotReadable) as found:
        read(name, text)
    assert why in found.value.why
    assert (found.value.line, found.value.column) == (line, column)


def test_bytes_that_are_no_text_are_told_with_their_place() -> None:
    with pytest.raises(NotReadable, match="UTF-8") as found:
        parts_of("json", b'{\n"a": "\xff"}')
    assert (found.value.line, found.value.column) == (2, 7)


def test_json_with_comments_and_trailing_commas() -> None:
    assert read("tsconfig.json", '{// strict\n"compilerOptions": {"strict": true,},}') == [
        {"compilerOptions": {"strict": True}}
    ]


def test_toml_knows_times_and_json_does_not() -> None:
    assert read("pyproject.toml", "[a]\nb = 1979-05-27\nc = [1.5]\n") == [
        {"a": {"b": "1979-05-27", "c": [1.5]}}
    ]


def test_hcl_has_the_shape_of_hcl2json() -> None:
    text = """
resource "aws_s3_bucket" "logs" {
  versioning { enabled = true }
  tags = { owner = "sre", size = 3 }
  name = "${var.region}-logs"
}
resource "aws_s3_bucket" "data" {}
locals { a = var.q }
"""
    assert read("main.tf", text) == [
        {
            "resource": {
                "aws_s3_bucket": {
                    "logs": [
                        {
                            "versioning": [{"enabled": True}],
                            "tags": {"owner": "sre", "size": 3},
                            "name": "${var.region}-logs",
                        }
                    ],
                    "data": [{}],
                }
            },
            "locals": [{"a": "${var.q}"}],
        }
    ]


def test_a_dockerfile_is_a_list_of_commands() -> None:
    text = 'FROM a:1 AS b\nRUN --mount=type=cache,target=/x apk add c\nFROM d\nCMD ["e"]\nONBUILD RUN f\nRUN <<EOF\ng\nEOF\n'
    (commands,) = read("Dockerfile", text)
    assert [
        (each["Cmd"], each["SubCmd"], each["JSON"], each["Value"], each["Stage"]) for each in commands
    ] == [
        ("from", "", False, ["a:1", "AS", "b"], 0),
        ("run", "", False, ["apk add c"], 0),
        ("from", "", False, ["d"], 1),
        ("cmd", "", True, ["e"], 1),
        ("onbuild", "run", False, ["f"], 1),
        ("run", "", False, ["<<EOF", "g\n"], 1),
    ]
    assert commands[1]["Flags"] == ["--mount=type=cache,target=/x"]


def test_requirements_are_read_as_pip_reads_them() -> None:
    (found,) = read(
        "requirements.txt",
        "--index-url https://example.org\nflask==2.0 --hash=sha256:aa\n-r more.txt\nq>=1; python_version<'3'\n",
    )
    assert [
        (each["name"], each["specifier"], each["pinned"], each["line"]) for each in found["requirements"]
    ] == [
        ("flask", "==2.0", True, 2),
        ("q", ">=1", False, 4),
    ]
    assert found["requirements"][0]["hashes"]
    assert "--index-url https://example.org" in found["options"]


@given(
    st.sampled_from(["a.yaml", "a.json", "tsconfig.json", "a.toml", "a.tf", "Dockerfile"]),
    st.binary(max_size=60),
)
def test_no_bytes_make_a_reader_fail_in_another_way(name: str, data: bytes) -> None:
    try:
        found = parts_of(reader_of(name), data)
    except NotReadable:
        return
    json.dumps([part.data for part in found], allow_nan=False)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.json", '{"a": 1e400}', "a number that policies do not know"),
        ("a.yaml", f"a: 0x{'f' * 5000}\n", "a number that policies do not know"),
        ("a.toml", f"a = 0x{'f' * 5000}\n", "a number that policies do not know"),
        ("a.json", r'{"a": "\ud800"}', "half of a surrogate pair"),
    ],
)
def test_what_json_cannot_say_is_judged_by_no_policy(name: str, text: str, why: str) -> None:
    (part,) = parts_of(reader_of(name), text.encode())
    with pytest.raises(NotReadable, match=why):
        as_json(part.data)
