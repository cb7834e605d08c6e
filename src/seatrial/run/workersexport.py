"""The same shared load for others to start: a master and its workers in Kubernetes, or by compose.

The master is `seatrial run`, which conducts, waits for its workers and judges; a worker needs the image and
the secret alone, for it gets the scenario from its master. What a person has to bring is said at the top.
"""

from __future__ import annotations

import json

from seatrial.load.trust import SECRET

_PORT = 5557  # Locust's own
_FILES = "/trial"  # where the experiment, its target and its scenarios lie
_EVIDENCE = "/evidence"


def _master(experiment: str, target: str, workers: int) -> str:
    words = [
        "run",
        experiment,
        *(("--target", target) if target else ()),
        *("--expect-workers", str(workers)),
        *("--workers-listen", f"0.0.0.0:{_PORT}"),
        *("--out", f"{_EVIDENCE}/run"),
    ]
    return json.dumps(words)


def _worker(host: str) -> str:
    words = ["-f", "-", "--worker", "--master-host", host, "--master-port", str(_PORT)]
    return json.dumps(["python", "-m", "seatrial.load", *words])


def kubernetes(experiment: str, target: str, workers: int, image: str) -> str:
    """A Job for the master, a Service by which it is found, and an indexed Job for the workers."""
    return f"""\
# Bring the secret that seals what master and workers say, and the files of the trial:
#   kubectl create secret generic seatrial-workers --from-literal=key="$(openssl rand -hex 16)"
#   kubectl create configmap seatrial-trial --from-file=DIRECTORY
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
          args: {_master(experiment, target, workers)}
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
        - name: trial
          configMap: {{name: seatrial-trial}}
        - name: evidence
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
          command: {_worker("seatrial-master")}
          env:
            - name: {SECRET}
              valueFrom:
                secretKeyRef: {{name: seatrial-workers, key: key}}
"""


def compose(experiment: str, target: str, workers: int, image: str) -> str:
    """Two services: the master, and the workers."""
    return f"""\
# {SECRET}=$(openssl rand -hex 16) docker compose up --exit-code-from master
# Neither rows nor options are encrypted between the two: over more than one machine, use a network that is.
services:
  master:
    image: {image}
    working_dir: {_FILES}
    command: {_master(experiment, target, workers)}
    environment:
      {SECRET}: ${{{SECRET}:?set it to a secret of your own}}
    volumes:
      - .:{_FILES}:ro
      - ./evidence:{_EVIDENCE}
    # a run under way undoes its faults first
    stop_grace_period: 15m
  worker:
    image: {image}
    entrypoint: {_worker("master")}
    environment:
      {SECRET}: ${{{SECRET}:?set it to a secret of your own}}
    depends_on: [master]
    deploy:
      replicas: {workers}
"""
