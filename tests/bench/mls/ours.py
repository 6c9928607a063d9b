"""This project's e2ee.mls, with the system's randomness."""

from __future__ import annotations

import time
from collections.abc import Sequence

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.mls.group import ApplicationMessage, Group, StagedCommit
from e2ee.mls.joining import join
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, ProposalContent, Remove
from e2ee.mls.welcome import Welcome
from e2ee.testing.mls_members import Client, receiving, sending
from tests.bench.mls.members import Commit, Member

__all__ = ["Ours"]

SUITE = cipher_suite(0x0001)
ENTROPY = SystemEntropy()


class OurMember:
    group: Group
    bundle: KeyPackageBundle

    def __init__(self, name: str) -> None:
        self.client = Client.make(name, SUITE, ENTROPY)

    def key_package(self) -> bytes:
        self.bundle = self.client.bundle(ENTROPY)
        return MLSMessage.of(self.bundle.key_package).encode()

    def create(self) -> None:
        self.key_package()
        self.group = Group.create(
            self.bundle, group_id=b"the bench", policy=sending(), entropy=ENTROPY
        )

    def join(self, welcome: bytes) -> None:
        body = MLSMessage.decode(welcome).body
        assert isinstance(body, Welcome)
        self.group = join(body, self.bundle, policy=receiving())

    def add(self, key_packages: Sequence[bytes]) -> Commit:
        decoded = [MLSMessage.decode(encoded).body for encoded in key_packages]
        adds = [Add(body) for body in decoded if isinstance(body, KeyPackage)]
        return self._commit(*adds, update_path=False)

    def update(self) -> Commit:
        return self._commit()

    def remove(self, leaf_index: int, member: Member) -> Commit:  # noqa: ARG002 - by its leaf
        return self._commit(Remove(leaf_index))

    def _commit(self, *proposals: ProposalContent, update_path: bool = True) -> Commit:
        pending = self.group.commit(
            proposals=proposals, policy=sending(), entropy=ENTROPY, update_path=update_path
        )
        self.group = self.group.merge(pending.staged)
        welcome = pending.welcome
        return Commit(pending.message.encode(), welcome.encode() if welcome else None)

    def process(self, message: bytes) -> None:
        staged = self.group.receive(MLSMessage.decode(message), policy=receiving())
        assert isinstance(staged, StagedCommit)
        self.group = self.group.merge(staged)

    def encrypt(self, data: bytes) -> bytes:
        return self.group.protect(data, entropy=ENTROPY).encode()

    def decrypt(self, message: bytes) -> bytes:
        received = self.group.receive(MLSMessage.decode(message), policy=receiving())
        assert isinstance(received, ApplicationMessage)
        return received.data

    def export(self) -> bytes:
        return bytes(self.group.export("bench", b"", 32))


class Ours:
    name = "ours"

    def clock(self) -> float:
        return time.perf_counter()

    def member(self, name: str) -> Member:
        return OurMember(name)
