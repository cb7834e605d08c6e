"""What others are given to start a master and its workers is taken by validators of theirs."""

from __future__ import annotations

import functools
import importlib
import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from pydantic import ValidationError

from seatrial.load.trust import SECRET
from seatrial.model.problems import BadInput
from seatrial.run.trialfiles import TrialFiles
from seatrial.run.workersexport import compose, image_of, kubernetes

FILES = (
    "chaos/load.yaml",
    "chaos/target.yaml",
    "loadtests/shop.py",
    "loadtests/shop/basket.py",
    "data/a b.csv",
)
TRIAL = TrialFiles(
    FILES[0],
    FILES[1],
    ("loadtests/shop.py",),
    (*FILES, "data/a_b.csv", "bin/$(x).sh"),
    frozenset({"bin/$(x).sh"}),
)
GIVEN = (TRIAL, 3, "registry.example/seatrial:1")


@functools.cache
def kinds() -> dict[tuple[str, str], Any]:
    """Loading all of Kubernetes takes a second."""
    batch, core = (
        importlib.import_module(f"cloudcoil.models.kubernetes.{group}.v1") for group in ("batch", "core")
    )
    return {("batch/v1", "Job"): batch.Job, ("v1", "Service"): core.Service}


def validated(text: str) -> list[Any]:
    documents = yaml.safe_load_all(text)
    return [kinds()[each["apiVersion"], each["kind"]].model_validate(each) for each in documents]


def test_kubernetes_takes_the_manifests() -> None:
    service, master, workers = validated(kubernetes(*GIVEN))
    assert workers.spec.completions == workers.spec.parallelism == 3
    assert service.spec.selector == master.spec.template.metadata.labels
    conducting = master.spec.template.spec.containers[0]
    assert conducting.args[:3] == ["run", "chaos/load.yaml", "--target"]
    assert conducting.args[conducting.args.index("--expect-workers") + 1] == "3"
    for job in (master, workers):
        assert job.spec.backoff_limit == 0
        assert [each.name for each in job.spec.template.spec.containers[0].env] == [SECRET]


def test_each_file_has_a_key_of_its_own_and_its_place() -> None:
    """A ConfigMap has no directories: what lies below one is put there by the volume."""
    text = kubernetes(*GIVEN)
    brought = dict(re.findall(r"^#       --from-file=(\S+?)='?([^'\n]+?)'?(?: \\)?$", text, re.MULTILINE))
    assert sorted(brought.values()) == sorted(TRIAL.files)
    _, *jobs = validated(text)
    for job in jobs:
        pod = job.spec.template.spec
        (volume,) = (each for each in pod.volumes if each.name == "trial")
        assert {each.key: each.path for each in volume.config_map.items} == brought
        assert all(re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", each.key) for each in volume.config_map.items)
        assert [each.path for each in volume.config_map.items if each.mode == 0o755] == ["bin/$(x).sh"]
        assert pod.containers[0].working_dir == "/trial"
        assert "trial" in [each.name for each in pod.containers[0].volume_mounts]
    assert "loadtests/shop.py" in jobs[1].spec.template.spec.containers[0].command


def test_more_than_a_configmap_takes_is_refused() -> None:
    with pytest.raises(
        BadInput, match="have 1,048,577 bytes, and a ConfigMap takes 1,048,576; put the large"
    ):
        kubernetes(replace(TRIAL, size=(1 << 20) + 1), *GIVEN[1:])


@pytest.mark.parametrize(
    "image",
    [
        "seatrial",
        "seatrial:latest",
        "registry.example:5000/team/sea-trial__x:1.2-rc",
        "[fe80::1]:5000/a@sha256:" + "0" * 64,
    ],
)
@pytest.mark.parametrize("write", [kubernetes, compose])
def test_an_image_is_said_as_it_was_given(image: str, write: Any) -> None:
    *_, last = yaml.safe_load_all(write(TRIAL, 1, image))
    worker = (
        last["services"]["worker"] if write is compose else last["spec"]["template"]["spec"]["containers"][0]
    )
    assert worker["image"] == image


@pytest.mark.parametrize(
    "image",
    [
        "",
        "Sea Trial",
        "a: b",
        "a\nimage: evil",
        "x # y",
        "-x",
        "a:b:c",
        "a" * 256,
        "UPPER/",
        "a@sha256:0",
        "${X}",
    ],
)
def test_what_names_no_image_is_refused(image: str) -> None:
    with pytest.raises(BadInput, match=r"--image: .*names no image; write it like seatrial:latest or"):
        image_of(image)
    for write in (kubernetes, compose):
        with pytest.raises(BadInput, match="--image"):
            write(TRIAL, 1, image)


@pytest.mark.parametrize(
    "name", ["it's: x.yaml", "a # b.yaml", "#.yaml", "é😀.yaml", "null", "$HOME $(X).yaml"]
)
def test_a_name_is_an_argument_whatever_is_in_it(name: str) -> None:
    """`$$` is `$` where arguments are expanded, by Kubernetes and by compose."""
    trial = replace(TRIAL, experiment=name, scenarios=(), in_image=("/a\nb: c",))
    said = name.replace("$", "$$")
    *_, master, workers = yaml.safe_load_all(kubernetes(trial, *GIVEN[1:]))
    assert master["spec"]["template"]["spec"]["containers"][0]["args"][1] == said
    assert workers["spec"]["template"]["spec"]["containers"][0]["command"][3:5] == ["-f", "-"]
    services = yaml.safe_load(compose(trial, *GIVEN[1:]))["services"]
    assert services["master"]["command"][1] == said


def test_the_validator_of_kubernetes_sees_a_mistake() -> None:
    with pytest.raises(ValidationError):
        validated(kubernetes(*GIVEN).replace("completions: 3", "completions: three"))


def test_compose_takes_the_file() -> None:
    text = compose(*GIVEN)
    PyCompose.from_yaml(text).validate()
    services = yaml.safe_load(text)["services"]
    assert services["worker"]["deploy"]["replicas"] == 3
    assert services["worker"]["entrypoint"][-4:] == ["--master-host", "master", "--master-port", "5557"]
    assert services["master"]["command"][:2] == ["run", "chaos/load.yaml"]


def test_the_validator_of_compose_sees_a_mistake() -> None:
    with pytest.raises(ValueError, match="imagine"):
        PyCompose.from_yaml(compose(*GIVEN).replace("image:", "imagine:")).validate()
