"""The same shared load for others to start: a master and its workers in Kubernetes, or by compose.

The master is `seatrial run`, which conducts, waits for its workers and judges. Workers have the same files,
for a scenario imports from beside it. What a person has to bring is said at the top.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

import yaml

from seatrial.load.trust import SECRET
from seatrial.model.problems import BadInput
from seatrial.run.trialfiles import TrialFiles

_PORT = 5557  # Locust's own
_FILES = "/trial"  # where the experiment, its target and its scenarios lie
_EVIDENCE = "/evidence"
_MOST_BYTES = 1 << 20  # in a ConfigMap
_LONGEST_KEY = 253  # of a ConfigMap
_PROGRAM = 0o755

# As the registries' own grammar has it: [host[:port]/]path[:tag][@digest]
_WORD = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::\d+)?"
_IMAGE = re.compile(
    rf"(?P<name>(?:{_HOST}/)?{_WORD}(?:/{_WORD})*)(?::\w[\w.-]{{0,127}})?(?:@[A-Za-z]\w*(?:[-_+.]\w+)*:[0-9a-fA-F]{{32,}})?",
    re.ASCII,
)
_LONGEST_NAME = 255


def image_of(text: str) -> str:
    """`text`, if it names an image. Raises BadInput."""
    found = _IMAGE.fullmatch(text)
    if found is None or len(found["name"]) > _LONGEST_NAME:
        raise BadInput(
            f"--image: {text!r} names no image; write it like seatrial:latest or "
            "registry.example/team/seatrial:1.2"
        )
    return text


def _text(value: str | Sequence[str]) -> str:
    """As YAML writes it in one line. Both Kubernetes and compose read `$$` as `$`."""
    words = (
        value.replace("$", "$$") if isinstance(value, str) else [each.replace("$", "$$") for each in value]
    )
    return yaml.safe_dump(
        words, default_style='"', default_flow_style=True, width=float("inf"), allow_unicode=True
    ).strip()


def _master(trial: TrialFiles, workers: int) -> str:
    return _text([
        "run",
        trial.experiment,
        *(("--target", trial.target) if trial.target else ()),
        *("--expect-workers", str(workers)),
        *("--workers-listen", f"0.0.0.0:{_PORT}"),
        *("--out", f"{_EVIDENCE}/run"),
    ])  # fmt: skip


def _worker(trial: TrialFiles, host: str) -> str:
    scenarios = ",".join(trial.scenarios) or "-"  # which the master gives
    words = ["-f", scenarios, "--worker", "--master-host", host, "--master-port", str(_PORT)]
    return _text(["python", "-m", "seatrial.load", *words])


def _keys(files: Iterable[str]) -> dict[str, str]:
    """What each file is called in a ConfigMap, which has no directories."""
    keys: dict[str, str] = {}
    for file in files:
        plain = re.sub(r"[^-._a-zA-Z0-9]", "_", file).lstrip(".")[-_LONGEST_KEY + 4 :] or "file"
        key, number = plain, 1
        while key in keys.values():
            number += 1
            key = f"{number}-{plain}"
        keys[file] = key
    return keys


def _brought(trial: TrialFiles, keys: dict[str, str]) -> str:
    """The command that brings the files, and what has to be in the image, as comments."""
    lines = [f"--from-file={key}={shlex.quote(file)}" for file, key in keys.items()]
    told = ["kubectl create configmap seatrial-trial", *(f"    {line}" for line in lines)]
    return " \\\n".join(f"#   {line}" for line in told) + "\n" + _in_image(trial)


def _in_image(trial: TrialFiles) -> str:
    return "".join(f"# In the image is to be {_path(each)}\n" for each in trial.in_image)


def _items(trial: TrialFiles, keys: dict[str, str]) -> Iterator[str]:
    for file, key in keys.items():
        mode = f", mode: {_PROGRAM}" if file in trial.run else ""
        yield f"              - {{key: {_text(key)}, path: {_path(file)}{mode}}}\n"


def _path(file: str) -> str:
    """A path in a volume: nothing is expanded in it."""
    return _text(file).replace("$$", "$")


def kubernetes(trial: TrialFiles, workers: int, image: str) -> str:
    """A Job for the master, a Service by which it is found, and an indexed Job for the workers.

    Raises BadInput for what is no image, or more files than a ConfigMap takes.
    """
    if trial.size > _MOST_BYTES:
        raise BadInput(
            f"the files of the trial have {trial.size:,} bytes, and a ConfigMap takes {_MOST_BYTES:,}; put "
            "the large ones into the image, and name them in the experiment by their whole paths there"
        )
    keys, image = _keys(trial.files), _text(image_of(image))
    volume = f"""\
        - name: trial
          configMap:
            name: seatrial-trial
            items:
{"".join(_items(trial, keys))}"""
    files = _brought(trial, keys)
    return f"""\
# Bring the secret that seals what master and workers say, and the files of the trial:
#   kubectl create secret generic seatrial-workers --from-literal=key="$(openssl rand -hex 16)"
{files}\
# Neither rows nor options are encrypted on their way: keep the port within the cluster. The evidence is gone
# with the master's pod: give `evidence` a volume of your own to keep it.
apiVersion: v1
kind: Service
metadata:
  name: seatrial-master
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector: {{app: seatrial-master}}
  ports:
    - {{name: locust, port: {_PORT}}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: seatrial-master
spec:
  # a run that failed is a verdict, and is not run again
  backoffLimit: 0
  template:
    metadata:
      labels: {{app: seatrial-master}}
    spec:
      restartPolicy: Never
      # a run under way undoes its faults first
      terminationGracePeriodSeconds: 900
      containers:
        - name: seatrial
          image: {image}
          workingDir: {_FILES}
          args: {_master(trial, workers)}
          env:
            - name: {SECRET}
              valueFrom:
                secretKeyRef: {{name: seatrial-workers, key: key}}
          ports:
            - {{containerPort: {_PORT}}}
          volumeMounts:
            - {{name: trial, mountPath: {_FILES}, readOnly: true}}
            - {{name: evidence, mountPath: {_EVIDENCE}}}
      volumes:
{volume}        - name: evidence
          emptyDir: {{}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: seatrial-workers
spec:
  completionMode: Indexed
  completions: {workers}
  parallelism: {workers}
  # a worker that was lost takes no part any more, and the verdict says so
  backoffLimit: 0
  template:
    metadata:
      labels: {{app: seatrial-worker}}
    spec:
      restartPolicy: Never
      containers:
        - name: worker
          image: {image}
          workingDir: {_FILES}
          command: {_worker(trial, "seatrial-master")}
          env:
            - name: {SECRET}
              valueFrom:
                secretKeyRef: {{name: seatrial-workers, key: key}}
          volumeMounts:
            - {{name: trial, mountPath: {_FILES}, readOnly: true}}
      volumes:
{volume}"""


def compose(trial: TrialFiles, workers: int, image: str) -> str:
    """Two services: the master, and the workers. Raises BadInput for what is no image."""
    image = _text(image_of(image))
    return f"""\
{_in_image(trial)}# {SECRET}=$(openssl rand -hex 16) docker compose up --exit-code-from master
# Neither rows nor options are encrypted between the two: over more than one machine, use a network that is.
services:
  master:
    image: {image}
    working_dir: {_FILES}
    command: {_master(trial, workers)}
    environment:
      {SECRET}: ${{{SECRET}:?set it to a secret of your own}}
    volumes:
      - .:{_FILES}:ro
      - ./evidence:{_EVIDENCE}
    # a run under way undoes its faults first
    stop_grace_period: 15m
  worker:
    image: {image}
    working_dir: {_FILES}
    entrypoint: {_worker(trial, "master")}
    environment:
      {SECRET}: ${{{SECRET}:?set it to a secret of your own}}
    volumes:
      - .:{_FILES}:ro
    depends_on: [master]
    deploy:
      replicas: {workers}
"""
