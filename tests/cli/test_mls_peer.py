"""``e2ee mls-peer`` as another implementation's tests have it: a process, a pipe in, a pipe out."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from e2ee.cli.mls_peer import EXAMPLE, serve
from e2ee.conformance.mls_peer.errors import RequestReason
from e2ee.conformance.mls_peer.peer import MAXIMUM_LINE, OPERATIONS, Peer
from e2ee.conformance.mls_peer.surroundings import Surroundings
from e2ee.crypto.seeded_entropy import SeededEntropy

COMMAND = [sys.executable, "-c", "from e2ee.cli.main import main; main()", "mls-peer"]

REPEATABLE = ("--seed", "once more", "--now", "1700000000000")
"""Options with which the same requests have the same replies."""


BARE_NAME = re.compile(r'(?<!")\b[A-Z_]{2,}\b(?!")')


def run(requests: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [*COMMAND, *options], input=requests, capture_output=True, text=True, check=True, timeout=60
    )


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:  # noqa: S603
        yield running
        running.kill()


def in_turn(process: subprocess.Popen[bytes], line: str) -> Any:
    """The reply to a request, awaited before the next is sent."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(line.encode() + b"\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def test_the_example_of_the_help_is_what_happens(process: subprocess.Popen[bytes]) -> None:
    """A bare name in capitals is what a reply held where it stands first."""
    known: dict[str, str] = {}
    lines = EXAMPLE.splitlines()
    assert lines
    for request, shown in zip(lines[::2], lines[1::2], strict=True):
        assert (request[:2], shown[:2]) == ("> ", "< ")
        reply = in_turn(process, BARE_NAME.sub(lambda name: f'"{known[name[0]]}"', request[2:]))
        expected = json.loads(BARE_NAME.sub(r'"$\g<0>"', shown[2:]))
        assert list(reply) == list(expected)
        for field, value in expected.items():
            if str(value).startswith("$"):
                known[value[1:]] = reply[field]
            else:
                assert reply[field] == value
    assert len(known) == 5


def test_it_ends_with_its_input(process: subprocess.Popen[bytes]) -> None:
    assert in_turn(process, '{"op": "suites"}')["ok"]
    assert process.stdin
    process.stdin.close()
    assert process.wait(timeout=60) == 0


def test_nothing_but_replies_is_printed_whatever_comes() -> None:
    done = run('nonsense\n\n{"op": "info", "id": 1}\r\n\x00\n{"op": "suites"}')
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert [reply["ok"] for reply in replies] == [False, False, False, False, True]
    assert done.stderr == ""


def test_an_empty_input_has_no_reply() -> None:
    done = run("")
    assert (done.stdout, done.stderr) == ("", "")


def test_a_run_can_be_repeated() -> None:
    request = '{"op": "client", "id": 1, "name": "a", "suite": 2}'
    first, second = (run(f"{request}\n", *REPEATABLE).stdout for _ in range(2))
    assert first == second
    assert json.loads(first)["ok"]
    assert run(f"{request}\n", "--seed", "another").stdout != first


def test_without_a_seed_no_two_clients_are_alike() -> None:
    request = '{"op": "client", "id": %d, "name": "a", "suite": 1}\n'
    replies = (run(request % 1 + request % 2).stdout + run(request % 1).stdout).splitlines()
    assert len({json.loads(reply)["key_package"] for reply in replies}) == 3


def test_the_time_is_the_clock_s_or_what_it_is_told() -> None:
    made = '{"op": "client", "id": 1, "name": "a", "suite": 1}\n'
    key_package = json.loads(run(made, "--now", "1000").stdout)["key_package"]
    add = '{"op": "create", "id": 1, "group_id": ""}\n{"op": "commit", "id": 1, "add": ["%s"]}\n'
    old = run(made + add % key_package).stdout.splitlines()[-1]
    assert json.loads(old)["error"] == "LEAF_EXPIRED"


def test_nobody_who_reads_is_no_error() -> None:
    with subprocess.Popen(  # noqa: S603 - our own program
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write(b'{"op": "suites"}\n')
        process.stdin.close()
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == b""


def test_a_line_that_is_too_long_is_refused_once_and_the_next_is_read() -> None:
    peer = Peer(Surroundings(SeededEntropy(b"lines"), lambda: 0))
    longest = b" " * MAXIMUM_LINE
    requests = [longest, longest + b" ", longest * 3, b'{"op": "suites"}', longest + b"  "]
    answers = io.BytesIO()
    serve(peer, io.BytesIO(b"\n".join(requests)), answers)
    replies = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert [reply.get("error", "suites") for reply in replies] == [
        "NOT_JSON",
        "LINE_TOO_LONG",
        "LINE_TOO_LONG",
        "suites",
        "LINE_TOO_LONG",
    ]


def test_the_help_names_every_operation_and_field() -> None:
    environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1"}
    shown = subprocess.run(  # noqa: S603 - our own program
        [*COMMAND, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=60,
    ).stdout
    for name, operation in OPERATIONS.items():
        (row,) = [line for line in shown.splitlines() if line.strip().startswith(f"{name} {{")]
        for field in (*operation.fields, *operation.reply):
            assert re.search(rf"\b{field}\b", row)
        assert operation.purpose in shown
    assert all(line in shown for line in EXAMPLE.splitlines())
    assert all(reason in shown for reason in RequestReason)
