"""What others are given to start a master and its workers is taken by validators of theirs."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from pydantic import ValidationError

from seatrial.load.trust import SECRET
from seatrial.run.workersexport import compose, kubernetes

GIVEN = ("chaos/load.yaml", "chaos/target.yaml", 3, "registry.example/seatrial:1")


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
