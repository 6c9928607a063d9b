"""ts-mls (TypeScript) under node, by the peer that the interoperability tests talk to.

Its replies tell how long the operation itself took, so that neither the pipe nor JSON is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from tests.bench.mls.members import Commit, Member
from tests.foreign.peers import start

__all__ = ["TsMls"]


class TsMls:
    name = "ts-mls"

    def __init__(self) -> None:
        self._peer = start("ts-mls")
        self._ids = count()
        self._elapsed = 0.0

    def clock(self) -> float:
        return self._elapsed

    def member(self, name: str) -> Member:
        return TsMlsMember(self, str(next(self._ids)), name)

    def stop(self) -> None:
        self._peer.stop()

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        reply = self._peer.ask(op, **fields)
        self._elapsed += reply["elapsed_ms"] / 1e3
        return reply


class TsMlsMember:
    def __init__(self, ts_mls: TsMls, peer_id: str, name: str) -> None:
        self._ts_mls = ts_mls
        self._id = peer_id
        self._ask("client", name=name, suite=1)

    def _ask(self, op: str, **fields: Any) -> dict[str, Any]:
        return self._ts_mls.ask(op, id=self._id, **fields)

    def key_package(self) -> bytes:
        return bytes.fromhex(self._ask("key_package")["key_package"])

    def create(self) -> None:
        self._ask("create", group_id=b"the bench".hex())

    def join(self, welcome: bytes) -> None:
        self._ask("join", welcome=welcome.hex())

    def add(self, key_packages: Sequence[bytes]) -> Commit:
        return self._commit(add=[key_package.hex() for key_package in key_packages])

    def update(self) -> Commit:
        return self._commit()

    def remove(self, leaf_index: int, member: Member) -> Commit:  # noqa: ARG002 - by its leaf
        return self._commit(remove=[leaf_index])

    def _commit(self, **what: Any) -> Commit:
        made = self._ask("commit", **what)
        welcome = made["welcome"]
        return Commit(bytes.fromhex(made["commit"]), bytes.fromhex(welcome) if welcome else None)

    def process(self, message: bytes) -> None:
        self._ask("process", message=message.hex())

    def encrypt(self, data: bytes) -> bytes:
        return bytes.fromhex(self._ask("encrypt", data=data.hex())["message"])

    def decrypt(self, message: bytes) -> bytes:
        return bytes.fromhex(self._ask("process", message=message.hex())["data"])

    def export(self) -> bytes:
        secret: str = self._ask("export", label="bench", context="", length=32)["secret"]
        return bytes.fromhex(secret)
