"""An adapter for the vectors of conftest.py, as a process: honest, or with the fault that its argument names.

A case of ``frames/opening`` is opened if its tag is right: the frame is turned round. It imports nothing but the standard
library, since it is the kind of program that somebody else would write.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

Members = dict[str, Any]

OUT = sys.stdout.buffer

FAULT = sys.argv[1] if len(sys.argv) > 1 else "honest"
GROUPS = ["frames/opening", "keys/suite", "mls-validation/process"]


def say(message: Members) -> None:
    OUT.write(json.dumps(message).encode() + b"\n")
    OUT.flush()


def write(data: bytes) -> Members:
    """Says this in place of an answer; nothing more."""
    OUT.write(data)
    OUT.flush()
    return {}


def for_ever() -> NoReturn:
    while True:
        threading.Event().wait()


def die(status: int) -> NoReturn:
    sys.stderr.write("panic: index out of range\n\x1b[2Jgoodbye\n")
    sys.stderr.flush()
    os._exit(status)


def killed() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    for_ever()


def leaves_a_child() -> NoReturn:
    """Ends, while a child goes on and keeps its standard output, and a pipe that its maker named."""
    program = "import threading, sys; sys.stdin.read(0); threading.Event().wait()"
    pipe = os.open(sys.argv[2], os.O_WRONLY)
    subprocess.Popen([sys.executable, "-c", program], pass_fds=[pipe])  # noqa: S603
    os._exit(0)


def leaves_a_daemon() -> NoReturn:
    """Ends, while a child in a session of its own keeps its pipes, until another one ends, which its maker named."""
    pipe = os.open(sys.argv[2], os.O_RDONLY)
    program = f"import os; os.read({pipe}, 1)"
    subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", program], pass_fds=[pipe], start_new_session=True
    )
    os._exit(3)


def closes_stdout() -> NoReturn:
    OUT.close()
    os.close(1)
    for_ever()


def honest(case: Members) -> Members:
    given = case["input"]
    if case["group"] == "keys/suite":
        return {"result": "valid", "output": {}}
    if case["group"] == "mls-validation/process":
        assert isinstance(given["state"], dict)
        then = [{"application_data": step["message"][-2:]} for step in given["then"]]
        if given["message"] == "01":
            return {"result": "valid", "output": {"epoch_authenticator": "aa"}}
        return {"result": "invalid", "reason": "MEMBERSHIP_TAG", "then": then}
    if given["tag"] != "good":
        return {"result": "invalid", "reason": "NOT_AUTHENTIC"}
    turned = bytes.fromhex(given["frame"])[::-1].hex()
    return {
        "result": "valid",
        "output": {"frame": turned},
        "intermediate": {"length": len(turned) // 2},
    }


def changed(case: Members, **members: Any) -> Members:
    return honest(case) | members


def another_byte(case: Members) -> Members:
    answer = honest(case)
    if frame := answer.get("output", {}).get("frame"):
        answer["output"]["frame"] = frame[:6] + "ee" + frame[8:]
    return answer


def if_refused(case: Members, **members: Any) -> Members:
    answer = honest(case)
    return answer | members if answer["result"] == "invalid" else answer


def twice(case: Members) -> Members:
    say({"type": "answer", "number": case["number"], **honest(case)})
    return honest(case)


def ends_in_a_line(_: Members) -> NoReturn:
    write(b'{"type": "ans')
    die(0)


FAULTS: dict[str, Callable[[Members], Members]] = {
    "honest": honest,
    "another-byte": another_byte,
    "another-step": lambda case: another_byte(case) | {"intermediate": {"length": 99}},
    "only-another-step": lambda case: honest(case) | {"intermediate": {"length": 99}},
    "no-steps": lambda case: another_byte(case) | {"intermediate": {}},
    "other-reason": lambda case: if_refused(case, reason="ERR_AUTH"),
    "no-reason": lambda case: if_refused(case, reason=None),
    "accepts": lambda case: if_refused(case, result="valid", output={}),
    "refuses": lambda _: {"result": "invalid", "reason": "NO"},
    "forgets-the-rest": lambda case: if_refused(case, then=None),
    "changed-by-a-refusal": lambda case: if_refused(case, then=[{"error": "generation"}]),
    "leaks-by-the-way": lambda case: if_refused(case, released="c0ffee"),
    "leaks-a-frame": lambda case: if_refused(case, output={"frame": "c0ffee"}),
    "accepts-a-frame": lambda case: if_refused(case, result="valid", output={"frame": "c0ffee"}),
    "cannot": lambda _: {"result": "unsupported", "reason": "no camera\x1b[31m here"},
    "cannot-and-leaks": lambda case: if_refused(case, result="unsupported", released="00"),
    "crashes": lambda _: die(3),
    "is-killed": lambda _: killed(),
    "hangs": lambda _: for_ever(),
    "closes-stdout": lambda _: closes_stdout(),
    "leaves-a-child": lambda _: leaves_a_child(),
    "leaves-a-daemon": lambda _: leaves_a_daemon(),
    "prints-debris": lambda _: write(b"DEBUG: \x1b[31mopening\n"),
    "is-not-utf-8": lambda _: write(b'{"type": "answer", "reason": "\xff"}\n'),
    "ends-in-a-line": ends_in_a_line,
    "long-line": lambda _: write(b"[" * (16 * 2**20 + 1)),
    "deep-line": lambda _: write(b"[" * 100_000 + b"\n"),
    "another-number": lambda case: changed(case, number=case["number"] + 1),
    "answers-twice": twice,
    "dies-at-the-end": honest,
    "never-ends": honest,
}

HELLOS: dict[str, Members] = {
    "hello-of-another-protocol": {"protocol": 2},
    "hello-without-a-name": {"name": ""},
    "hello-of-numbers": {"groups": [1, 2]},
    "hello-of-nothing": {"groups": None},
    "hello-of-too-many": {"features": [f"feature-{number}" for number in range(1001)]},
    "hello-with-controls": {"name": "\x1b[2Jevil <script>alert(1)</script> \u202e"},
    "hello-misspelt": {"groups": [*GROUPS, "frames/openning"], "features": ["H265"]},
    "hello-without-features": {"features": []},
    "hello-of-a-part": {"groups": ["frames/opening"], "features": []},
}


def hello() -> None:
    if FAULT == "no-hello":
        for_ever()
    if FAULT == "dies-before-hello":
        die(4)
    if FAULT == "waits":
        with open(sys.argv[2], "rb") as pipe:  # until its maker opens the other end
            pipe.read()
    said = {
        "protocol": 1,
        "name": "hostile",
        "version": "1",
        "groups": GROUPS,
        "features": ["mls-0x0001"],
    }
    if FAULT == "says-another-hello":
        said["version"] = str(os.getpid())
    say({"type": "hello", **said, **HELLOS.get(FAULT, {})})


def main() -> None:
    answer = FAULTS.get(FAULT, honest)
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if message["type"] == "hello":
            hello()
        elif FAULT == "says-another-hello":
            die(1)
        elif members := answer(message):
            say({"type": "answer", "number": message["number"], **members})
    if FAULT == "dies-at-the-end":
        die(5)
    if FAULT == "never-ends":
        for_ever()


main()
