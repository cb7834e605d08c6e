"""The same schedule for others to wake: systemd, Kubernetes, GitHub Actions.

None of them can say "the first Sunday of a month, at 02:30 in Berlin, and only once", and each loses
occurrences in its own way. So they only wake `seatrial schedule start --once`, more often than is needed,
and the table of occurrences decides: what is due runs once, the rest of the wakings end at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import PurePath

from seatrial.model.problems import BadInput
from seatrial.schedule.loading import LoadedSchedule

_LOOK_AHEAD = timedelta(days=2 * 366)
_MOST_CRON_LINES = 20


def systemd(files: Sequence[str], user: str = "seatrial") -> str:
    """A service unit for the daemon."""
    return f"""\
# /etc/systemd/system/seatrial.service
[Unit]
Description=seatrial: scheduled readiness suites
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User={user}
WorkingDirectory=/var/lib/seatrial
StateDirectory=seatrial
Environment=SEATRIAL_HOME=/var/lib/seatrial
# SEATRIAL_PAGERDUTY_KEY and other secrets; readable by root alone
EnvironmentFile=-/etc/seatrial/environment
# faults that a crash left behind are undone before anything new is started
ExecStartPre=/usr/bin/env seatrial recover
ExecStart=/usr/bin/env seatrial schedule start --metrics 127.0.0.1:9464 {" ".join(files)}
Restart=always
RestartSec=5
# runs that are under way may finish; after that they are aborted, which undoes their faults
KillSignal=SIGTERM
KillMode=mixed
TimeoutStopSec=900

[Install]
WantedBy=multi-user.target
"""


def kubernetes(loaded: LoadedSchedule, image: str, file: str) -> str:
    """A CronJob that wakes every 15 minutes.

    Kubernetes would skip a time that a zone skips, and stops for good after 100 missed starts unless
    startingDeadlineSeconds is set; a frequent waking with a deadline avoids both.
    """
    return f"""\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: seatrial-{loaded.name.replace("_", "-").replace(".", "-")}
spec:
  schedule: "*/15 * * * *"
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 600
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 10
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          # runs that are under way may finish, then their faults are undone
          terminationGracePeriodSeconds: 900
          containers:
            - name: seatrial
              image: {image}
              args: [schedule, start, --once, {file}]
              envFrom:
                # SEATRIAL_DATABASE (the table of occurrences: it alone knows what ran already),
                # SEATRIAL_PAGERDUTY_KEY, SEATRIAL_PAGERDUTY_ESCALATION_KEY …
                - secretRef: {{name: seatrial}}
"""


def github_actions(loaded: LoadedSchedule, file: str, now: datetime) -> str:
    """A workflow. Its cron knows only UTC and may be hours late, so lateness must be allowed.

    Raises BadInput when the schedule would need too many cron lines.
    """
    lines = "\n".join(f'    - cron: "{line}"' for line in cron_lines(loaded, now))
    name = PurePath(file).stem
    return f"""\
# Made by: seatrial schedule export --github-actions {file}
# Woken more often than needed, and late at times; `--once` runs what is due, once, and otherwise ends.
name: readiness {loaded.name}
on:
  schedule:
{lines}
  workflow_dispatch:
concurrency:
  group: seatrial-{loaded.name}
  cancel-in-progress: false
permissions:
  contents: read
jobs:
  trial:
    runs-on: ubuntu-latest
    timeout-minutes: 120
    env:
      SEATRIAL_HOME: ${{{{ github.workspace }}}}/.seatrial
      SEATRIAL_PAGERDUTY_KEY: ${{{{ secrets.SEATRIAL_PAGERDUTY_KEY }}}}
      SEATRIAL_PAGERDUTY_ESCALATION_KEY: ${{{{ secrets.SEATRIAL_PAGERDUTY_ESCALATION_KEY }}}}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.13"
      - run: pip install 'seatrial[all]'
      # the table of occurrences and the outbox live on from run to run
      - uses: actions/cache/restore@v4
        with:
          path: .seatrial
          key: seatrial-{loaded.name}-${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}
          restore-keys: seatrial-{loaded.name}-
      - run: seatrial schedule start --once {file}
      - uses: actions/cache/save@v4
        if: always()
        with:
          path: .seatrial
          key: seatrial-{loaded.name}-${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: evidence-{name}
          path: runs/
          if-no-files-found: ignore
"""


def cron_lines(loaded: LoadedSchedule, now: datetime) -> list[str]:
    """Lines of UTC cron that together cover every planned instant of the next two years.

    They name time and weekday alone: cron *or*s day of month with weekday, so a first Sunday becomes every
    Sunday; and where clocks change, both offsets get their line. Raises BadInput when it is due too often.
    """
    days: dict[tuple[int, int], set[int]] = defaultdict(set)
    minutes: set[int] = set()
    for each in takewhile(lambda each: each.utc < now + _LOOK_AHEAD, loaded.planned(now)):
        days[(each.utc.hour, each.utc.minute)].add(each.utc.isoweekday() % 7)
        minutes.add(each.utc.minute)
        if len(minutes) > _MOST_CRON_LINES:
            raise BadInput(f"{loaded.name} is due too often for GitHub Actions; run the daemon instead")
    if len(days) > _MOST_CRON_LINES:
        return [f"{','.join(map(str, sorted(minutes)))} * * * *"]
    return [f"{minute} {hour} * * {_days(found)}" for (hour, minute), found in sorted(days.items())]


def _days(found: set[int]) -> str:
    return "*" if len(found) == 7 else ",".join(map(str, sorted(found)))
