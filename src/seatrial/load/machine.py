"""Prepares the generator's process for keeping time beside a busy service.

* Collections of garbage stop the process. Everything that is alive before the first arrival is exempted, and
  the youngest generation is made large enough to be looked through rarely and small enough to take less than
  a millisecond; a request leaves no cyclic garbage.
* Beside a busy system under test the generator needs little of the processor, but at once. Where it may (as
  root), and where it needs little indeed (up to 2,000 arrivals a second, an eighth of a core), it runs under
  the real-time policy SCHED_RR: it goes first, for a tenth of a millisecond an arrival. At 10,000 arrivals a
  minute and a load average of 13 on two cores its lateness was 0.1 ms (p99) and 0.2 ms at most.
* Elsewhere it asks Linux (6.12 and later) for time slices of 0.1 ms. The scheduler, EEVDF, runs whoever has
  the earlier virtual deadline, which is a slice away, so a short slice brings the processor sooner and not
  for longer, and takes no privilege: 0.1 ms (p99) at a load average of 5, against 1 to 3 ms without, though
  7 to 11 ms at 13. A raised priority (nice -10) did no better than none. Older kernels are left alone.
* A blackholed service leaves one open socket an arrival until the deadline.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import re
import resource
import signal
import sys

_SLICE_NS = 100_000
_SEDATE_PER_S = 2_000.0  # arrivals; beyond, going first would take the processor from the system under test
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}  # system call numbers; libc has a wrapper only since 2.41
_SHORT_SLICES_SINCE = (6, 12)
_GC_THRESHOLDS = (10_000, 50, 100)
_OTHER_FILES = 256
_PR_SET_PDEATHSIG = 1
PARENT = "SEATRIAL_PARENT_PID"  # in the environment of a generator that must not outlive its parent

logger = logging.getLogger(__name__)


def prepare(max_in_flight: int, peak_per_s: float) -> None:
    """Do all of the above, as far as the system allows. `peak_per_s` is the highest rate offered."""
    sedate = peak_per_s <= _SEDATE_PER_S and (os.cpu_count() or 1) > 1
    if not (sedate and _go_first()):
        _go_along()
        _ask_for_short_slices()
    _allow_sockets(max_in_flight + _OTHER_FILES)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def die_with_parent() -> None:
    """Be killed by the kernel when the process that `PARENT` names dies (Linux only).

    By SIGKILL: a generator that hangs must not go on either, and its spool already holds all but the last
    fifth of a second.
    """
    parent = os.environ.pop(PARENT, "")
    if not parent:
        return
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):  # it died before the kernel was told
        os.kill(os.getpid(), signal.SIGKILL)


class _SchedAttr(ctypes.Structure):
    """`struct sched_attr` of sched_setattr(2), version 0."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),  # for an ordinary process: its slice, in nanoseconds
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def _go_first() -> bool:
    if sys.platform != "linux":
        return False
    try:
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK  # threads and children stay ordinary
        os.sched_setscheduler(0, policy, os.sched_param(1))
    except PermissionError:
        return False
    return True


def _go_along() -> None:
    """As an ordinary process again, after a test that went first."""
    if sys.platform == "linux" and os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _ask_for_short_slices() -> None:
    release = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    call = _SCHED_SETATTR.get(os.uname().machine)
    if sys.platform != "linux" or release < _SHORT_SLICES_SINCE or call is None:
        return
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    slices = _SchedAttr(size=ctypes.sizeof(_SchedAttr), nice=nice, runtime=_SLICE_NS)
    if ctypes.CDLL(None, use_errno=True).syscall(call, 0, ctypes.byref(slices), 0) != 0:
        logger.info("The scheduler gives no short slices: %s", os.strerror(ctypes.get_errno()))


def _allow_sockets(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
    if allowed < wanted:
        logger.warning(
            "Only %d files may be open; arrivals beyond that are dropped (raise it with ulimit -n)", allowed
        )
