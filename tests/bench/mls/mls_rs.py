"""mls-rs (Rust, over OpenSSL) by its Python package, of which a commit of Adds has no path."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mls_rs_uniffi import (
    CipherSuite,
    Client,
    CommitOutput,
    Group,
    Message,
    client_config_default,
    generate_signature_keypair,
)

from tests.bench.mls.members import Commit, Member

__all__ = ["MlsRs"]


class MlsRsMember:
    group: Group

    def __init__(self, name: str) -> None:
        keys = generate_signature_keypair(CipherSuite.CURVE25519_AES128)
        self.client = Client(name.encode(), keys, client_config_default())

    def key_package(self) -> bytes:
        encoded: bytes = self.client.generate_key_package_message().to_bytes()
        return encoded

    def create(self) -> None:
        self.group = self.client.create_group(b"the bench")

    def join(self, welcome: bytes) -> None:
        self.group = self.client.join_group(None, Message.from_bytes(welcome)).group

    def add(self, key_packages: Sequence[bytes]) -> Commit:
        return self._commit(self.group.add_members([Message.from_bytes(k) for k in key_packages]))

    def update(self) -> Commit:
        return self._commit(self.group.commit())

    def remove(self, leaf_index: int, member: Member) -> Commit:  # noqa: ARG002 - by its client
        assert isinstance(member, MlsRsMember)
        return self._commit(self.group.remove_members([member.client.signing_identity()]))

    def _commit(self, made: CommitOutput) -> Commit:
        self.group.process_incoming_message(made.commit_message)
        welcome = made.welcome_message
        return Commit(made.commit_message.to_bytes(), welcome.to_bytes() if welcome else None)

    def process(self, message: bytes) -> None:
        self.group.process_incoming_message(Message.from_bytes(message))

    def encrypt(self, data: bytes) -> bytes:
        encoded: bytes = self.group.encrypt_application_message(data).to_bytes()
        return encoded

    def decrypt(self, message: bytes) -> bytes:
        received = self.group.process_incoming_message(Message.from_bytes(message))
        data: bytes = received.data
        return data

    def export(self) -> bytes:
        secret: bytes = self.group.export_secret(b"bench", b"", 32)
        return secret


class MlsRs:
    name = "mls-rs"

    def clock(self) -> float:
        return time.perf_counter()

    def member(self, name: str) -> Member:
        return MlsRsMember(name)
