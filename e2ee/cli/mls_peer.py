"""``e2ee mls-peer``: the shell of ``e2ee.conformance.mls_peer``: pipes, the clock, and the help.

One line in, one line out, at once; the end of the input ends it. Nothing else is ever written to standard output.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Annotated, BinaryIO

import typer

from e2ee.conformance.mls_peer.errors import RequestReason
from e2ee.conformance.mls_peer.fields import Field
from e2ee.conformance.mls_peer.peer import MAXIMUM_LINE, OPERATIONS, Operation, Peer
from e2ee.conformance.mls_peer.surroundings import Surroundings
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.system_clock import Clock, system_clock

__all__ = ["EXAMPLE", "register", "serve"]

_ABOUT = """MLS clients (RFC 9420) that another implementation talks to, by JSON lines.

Each line of standard input is a request, {"op": NAME, ...}. Each is answered at once by a line of standard output: \
{"ok": true, ...}, or {"ok": false, "error": RULE, "detail": TEXT}, and then nothing has changed. With the end of the \
input the command ends, with exit status 0.

It is for tests: every credential is accepted, and every lifetime in what is received. All else is as strict as the RFC.
"""

_FIELDS = """A field with ? may be omitted or null. id is text or a number, and names the client. Messages, \
KeyPackages, Welcomes and GroupInfos are MLSMessages in hex. An extension is a pair of its type and its data in hex."""

_ERRORS = f"""RULE is the rule of RFC 9420 that forbids it, by its name in e2ee.mls.errors, or the reason of a decoder or a \
primitive; or, before anything of MLS is looked at: {", ".join(RequestReason)}."""

EXAMPLE = """\
> {"op": "client", "id": "alice", "name": "Alice", "suite": 1}
< {"ok": true, "key_package": KEY_PACKAGE_OF_ALICE}
> {"op": "client", "id": "bob", "name": "Bob", "suite": 1}
< {"ok": true, "key_package": KEY_PACKAGE_OF_BOB}
> {"op": "create", "id": "alice", "group_id": "01"}
< {"ok": true}
> {"op": "commit", "id": "alice", "add": [KEY_PACKAGE_OF_BOB]}
< {"ok": true, "commit": COMMIT, "welcome": WELCOME, "tree": null}
> {"op": "join", "id": "bob", "welcome": WELCOME}
< {"ok": true}
> {"op": "encrypt", "id": "bob", "data": "6869"}
< {"ok": true, "message": MESSAGE}
> {"op": "process", "id": "alice", "message": MESSAGE}
< {"ok": true, "kind": "application", "data": "6869", "authenticated_data": "", "sender": 1, "removed": false}
> {"op": "process", "id": "alice", "message": MESSAGE}
< {"ok": false, "error": "GENERATION_CONSUMED", "detail": "0, used or older than the window"}
"""
"""What is said (>) and answered (<); each name in capitals stands for a value in hex."""


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("mls-peer", help=_ABOUT, epilog=_protocol())(mls_peer)


def mls_peer(
    seed: Annotated[
        str | None,
        typer.Option(help="Draw all randomness from this text, so that a run can be repeated."),
    ] = None,
    now: Annotated[
        int | None,
        typer.Option(min=0, help="The time, in Unix milliseconds, in place of the clock's."),
    ] = None,
) -> None:
    """See ``_ABOUT``, which is the help."""
    peer = Peer(Surroundings(_entropy(seed), _clock(now)))
    try:
        serve(peer, sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        # Nobody reads the replies any more, nor what Python would flush at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def serve(peer: Peer, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each line, until the last."""
    for line in _lines(requests):
        answers.write(peer.answer(line).encode() + b"\n")
        answers.flush()


def _lines(requests: BinaryIO) -> Iterator[bytes]:
    """Each line, without its line feed; of one that is too long, enough to be refused."""
    while line := requests.readline(MAXIMUM_LINE + 1):
        yield line.removesuffix(b"\n")
        while line and not line.endswith(b"\n"):
            line = requests.readline(MAXIMUM_LINE + 1)


def _entropy(seed: str | None) -> Entropy:
    return SystemEntropy() if seed is None else SeededEntropy(seed.encode())


def _clock(now: int | None) -> Clock:
    return system_clock() if now is None else lambda: now


def _protocol() -> str:
    """The help's second half: operations, errors, example."""
    rows = (f"{_signature(*item)}\n{item[1].purpose}" for item in OPERATIONS.items())
    return "\n\n".join([_FIELDS, *rows, _ERRORS, f"\b\n{EXAMPLE}"])


def _signature(name: str, operation: Operation) -> str:
    takes = ", ".join(_field(*item) for item in operation.fields.items())
    return f"{name} {{{takes}}} -> {', '.join(operation.reply) or 'nothing'}"


def _field(name: str, field: Field) -> str:
    mark = "?" if field.optional else ""
    kind = "" if field.kind.name == name else f": {field.kind.name}"
    return name + mark + kind + (" = true" if field.default is True else "")
