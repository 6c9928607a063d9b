"""The run as a process: the console command, a terminal that shows progress, and somebody who has seen enough."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

import e2ee.examples.conformance_adapter as template
from tests.conformance.kit.conftest import ADAPTER

E2EE = str(Path(sys.executable).with_name("e2ee"))
KIT = [sys.executable, "-m", "e2ee.conformance", "run"]
WITHOUT_RICH = (
    "import sys; sys.modules['rich'] = None; from e2ee.conformance.__main__ import entry; entry()"
)


def test_the_console_command_passes_everything_on() -> None:
    options = ["--json", "--only", "frame-keys/kid", "--", sys.executable, str(template.__file__)]
    done = subprocess.run([E2EE, "conformance", "run", *options], capture_output=True, check=True)  # noqa: S603
    assert b'"PASS": 10' in done.stdout


def test_the_command_that_repeats_a_case_is_the_one_that_was_used(vectors: Path) -> None:
    command = [
        E2EE,
        "conformance",
        "run",
        "--vectors",
        str(vectors),
        "--",
        sys.executable,
        str(ADAPTER),
    ]
    done = subprocess.run([*command, "crashes"], capture_output=True, check=False, text=True)  # noqa: S603
    assert done.returncode == 1
    assert "  again: e2ee conformance run --only frames/opening/opened --vectors " in done.stdout


@pytest.mark.parametrize(
    ("kit", "shown"), [(KIT, "7/7"), ([sys.executable, "-c", WITHOUT_RICH, "run"], "7 of 7")]
)
def test_a_terminal_shows_how_far_it_is(vectors: Path, kit: Sequence[str], shown: str) -> None:
    ours, theirs = pty.openpty()
    command = [*kit, "--vectors", str(vectors), "--", sys.executable, str(ADAPTER)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs) as running:  # noqa: S603
        os.close(theirs)
        seen = b""
        while some := _read(ours):
            seen += some
    os.close(ours)
    assert running.returncode == 0
    assert shown in seen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end is closed
        return b""


def test_who_interrupts_it_leaves_no_adapter_behind(vectors: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [*KIT, "--vectors", str(vectors), "--", sys.executable, str(ADAPTER)]
    with subprocess.Popen(  # noqa: S603
        [*command, "waits", str(pipe)],
        stderr=subprocess.PIPE,
        preexec_fn=partial(
            signal.signal, signal.SIGINT, signal.SIG_DFL
        ),  # ignored where a shell runs these tests in its background
    ) as running:
        writing = os.open(pipe, os.O_WRONLY)  # waits until the adapter reads
        running.send_signal(signal.SIGINT)
        _, said = running.communicate()
    assert running.returncode == 130
    assert b"interrupted" in said
    assert b"Traceback" not in said
    with pytest.raises(BrokenPipeError):
        os.write(writing, b"is anybody there?")
    os.close(writing)
