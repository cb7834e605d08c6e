"""The process that regorus evaluates in, so that a rule without an end can be stopped with it.

regorus has no timer, and while it works nothing else in its process does. So the kernel's timer ends this
process in the middle of a rule, whether or not the one that asked is still there, and the kernel's limit on
memory ends it before the machine has none left. It is asked and answers on its standard streams, a line of
JSON each: first what to load, then lists of questions, each answered as soon as it is known.

    {"memory": bytes, "seconds": s, "policies": [[name, text], …], "data": text}      ["ok", ""]
    [[rule, input, data, seconds], …]          ["ok", value as text] a question, or ["error" | "panic", why]

It imports nothing of this package, for it must be there in no time.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from contextlib import suppress
from typing import Any

import regorus

_LONGEST = 64_000_000  # characters of an answer: more are no messages to people


def main() -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
    opening = json.loads(sys.stdin.buffer.readline())
    _keep_to(opening["memory"])
    engine = regorus.Engine()
    _answer(*_within(opening["seconds"], lambda: _load(engine, opening)))
    for line in sys.stdin.buffer:
        for rule, document, data, seconds in json.loads(line):
            _answer(*_within(seconds, lambda asked=(rule, document, data): _value(engine, *asked)))


def _keep_to(memory: int) -> None:
    with suppress(ValueError, OSError):  # a system that knows no such limit
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        limit = memory if most == resource.RLIM_INFINITY else min(memory, most)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _within(seconds: float, work: Any) -> tuple[str, str]:
    """What came of it; the process ends when it takes longer."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return "ok", work()
    except RuntimeError as error:
        return "error", str(error)
    except MemoryError:
        raise
    except BaseException as error:  # a panic of Rust is no Exception
        return "panic", str(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _load(engine: Any, opening: dict[str, Any]) -> str:
    for name, text in opening["policies"]:
        engine.add_policy(name, text)
    engine.add_data_json(opening["data"])
    return ""


def _value(engine: Any, rule: str, document: str, data: str) -> str:
    if data:
        engine = engine.clone()
        engine.add_data_json(data)
    engine.set_input_json(document)
    value = str(engine.eval_rule_as_json(rule))
    if len(value) > _LONGEST:
        raise RuntimeError(f"its rules say {len(value):,} characters; more than {_LONGEST:,} are no messages")
    return value


def _answer(kind: str, text: str) -> None:
    sys.stdout.write(json.dumps([kind, text]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
